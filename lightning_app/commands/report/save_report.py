"""Report as an artifact of its run."""

from typing import Any

from mlflow.entities import Run

from lightning_app.commands.report.report_page import render_report
from lightning_app.commands.report.settings import FILE
from lightning_app.pages.language import Language, language_of
from lightning_app.store.locations import artifact_location


def store_report(client: Any, run: Run, language: Language | None) -> str:
    """Store the report of a run among its artifacts, replacing an earlier one.

    Args:
        client: An `MlflowClient`.
        run: The run.
        language: Language of the report; None for the language of the run.

    Returns:
        Location of the report, for a message.
    """
    page = render_report(client, run, language_of(run, language))
    client.log_text(run.info.run_id, page, FILE)
    return artifact_location(run, FILE)
