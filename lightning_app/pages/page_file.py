"""The file of a page, named with `--out`."""

from pathlib import Path
from tempfile import TemporaryFile


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
