"""The report among the artifacts of its run."""

from typing import Any

from mlflow.entities import Run

from lightning_app.commands.report.report_page import write_page
from lightning_app.commands.report.settings import FILE
from lightning_app.pages.language import Language, language_of
from lightning_app.store.locations import place_of


def store_page(client: Any, run: Run, language: Language | None) -> str:
    """Write the report of a run, and say where it is.

    Args:
        client: An `MlflowClient`.
        run: The run.
        language: Of the sentences; None for that of the run.
    """
    page = write_page(client, run, language_of(run, language))
    client.log_text(run.info.run_id, page, FILE)
    return place_of(run, FILE)
