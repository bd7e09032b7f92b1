"""The report among the artifacts of its run."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from mlflow.entities import Run

from lightning_app.report.page import write_page
from lightning_app.report.settings import FILE, LANGUAGES, Language

LANGUAGE = "report.language"  # parameter of a run


def language_of(run: Run, wanted: Language | None) -> Language:
    """The language that is wanted, else that of the run's fit, else English."""
    if wanted is not None:
        return wanted
    fit: dict[str | None, Language] = {language: language for language in LANGUAGES}
    return fit.get(run.data.params.get(LANGUAGE), LANGUAGES[0])


def store_page(client: Any, run: Run, language: Language | None) -> str:
    """Write the report of a run, and say where it is.

    Args:
        client: An `MlflowClient`.
        run: The run.
        language: Of the sentences; None for that of the run.
    """
    page = write_page(client, run, language_of(run, language))
    client.log_text(run.info.run_id, page, FILE)
    return place_of(run)


def place_of(run: Run) -> str:
    """The file of a run's report, as short as can be; on a server, its name and that of the run."""
    address = urlparse(run.info.artifact_uri)
    if address.scheme not in ("", "file"):
        return f"{FILE} in the run {run.info.run_name}"
    file = Path(unquote(address.path)) / FILE
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
