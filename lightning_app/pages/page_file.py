"""HTML file of a page, as named with `--out`: checked before the work, written atomically after."""

from pathlib import Path
from tempfile import TemporaryFile

from datamodules.atomic_files import atomic_write


def check_page_file(file: Path | None) -> None:
    """Check that an HTML page can be written to a file, before the page is made.

    Args:
        file: The file; None if the user gave none.

    Raises:
        ValueError: If the file is not an HTML file or cannot be written.
    """
    if file is None:
        return
    if file.suffix not in (".html", ".htm"):
        raise ValueError(f"The HTML page needs a file name that ends in .html (--out), not {file}.")
    try:
        if file.is_dir():
            raise ValueError(f"{file} is a folder; name a file for the HTML page with --out.")
        folder = file.parent
        while not folder.exists():
            folder = folder.parent
        # Permissions are not enough: root has them all, and still cannot write to `/proc`.
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _unwritable(file, error) from error


def write_html(file: Path, page: str) -> None:
    """Write a page atomically.

    Raises:
        ValueError: If the file cannot be written.
    """
    try:
        with atomic_write(file) as unfinished:
            unfinished.write_text(page, "utf-8")
    except OSError as error:
        raise _unwritable(file, error) from error


def _unwritable(file: Path, error: OSError) -> ValueError:
    return ValueError(
        f"The HTML page cannot be written to {file} ({error.strerror}); name another file with "
        "--out."
    )
