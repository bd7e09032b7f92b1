"""The report among the artifacts of its run."""

from pathlib import Path
from tempfile import TemporaryFile
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


def place_of(run: Run, name: str = FILE) -> str:
    """The file of an artifact, as short as can be; on a server, its name and that of the run."""
    address = urlparse(run.info.artifact_uri)
    if address.scheme not in ("", "file"):
        return f"{name} in the run {run.info.run_name}"
    file = Path(unquote(address.path)) / name
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)


def check_page_file(file: Path | None) -> None:
    """Refuse a place for a page that no browser would open as one, or that cannot be written.

    Raises:
        ValueError: If the file is given, and is no HTML file or cannot be made.
    """
    if file is None:
        return
    if file.suffix not in (".html", ".htm"):
        raise ValueError(f"The page goes to a file that ends in .html (--out), not {file}.")
    try:
        if file.is_dir():
            raise ValueError(f"{file} is a folder; name a file for the page with --out.")
        folder = file.parent
        while not folder.exists():
            folder = folder.parent
        # Permissions say too little: root has them all, and still cannot write to `/proc`.
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _unwritable(file, error) from error


def write_file(file: Path, page: str) -> None:
    """Write a page beside its place and rename it.

    Raises:
        ValueError: If the file cannot be made.
    """
    unfinished = file.with_name(f".{file.name}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(page, "utf-8")
        unfinished.replace(file)
    except OSError as error:
        raise _unwritable(file, error) from error


def _unwritable(file: Path, error: OSError) -> ValueError:
    return ValueError(
        f"The page cannot be written to {file} ({error.strerror}); name another file with --out."
    )
