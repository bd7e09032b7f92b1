"""Atomic file writing: a file is either complete or not there, whatever happens meanwhile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(file: Path) -> Iterator[Path]:
    """Write a file beside its target, and rename it once its content is on the disk.

    Neither an exception nor a kill nor a full disk leaves a partial file under the target's name;
    what was there before stays until it is replaced. Of several processes that write the same
    target, the last one wins.

    Args:
        file: The target. Its folder is created if it is missing.

    Yields:
        Path of the temporary file, in the target's folder. It has to be written and closed within
        the `with` block. Its name starts with a dot and ends in `.tmp`, so that no search for
        files of the target's kind finds it.

    Example:
        with atomic_write(Path("out/report.html")) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        yield unfinished
        with unfinished.open("rb") as stream:
            os.fsync(stream.fileno())  # before the rename: else a crash could leave an empty file
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
