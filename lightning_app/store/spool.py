"""Spool: the folder in which writes to MLflow wait, one JSON file each, in their order."""

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from lightning_app.store.spooled_write import SpooledWrite, decode

log = logging.getLogger(__name__)

ENDING, REFUSED, DAMAGED = ".json", ".refused", ".damaged"


class Spool:
    """Writes that wait; they survive the end of this process, however it ends.

    Args:
        folder: The folder. It is created when the first write waits.
    """

    _lock, _latest = threading.Lock(), 0  # of all spools of this process

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, content: bytes) -> None:
        """Let a write wait, after all others.

        Raises:
            OSError: If it cannot be written to the disk.
        """
        with Spool._lock:  # the clock may stand still between two writes
            Spool._latest = max(Spool._latest + 1, time.time_ns())
            file = self.folder / f"{Spool._latest}-{os.getpid()}{ENDING}"
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".tmp")
        try:
            # Not `atomic_write`, which waits for the disk: a training step would be delayed.
            unfinished.write_bytes(content)
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)

    def waiting(self) -> list[Path]:
        """Files of the writes that wait, in order."""
        return sorted(file for file in self.folder.glob(f"*{ENDING}") if file.is_file())

    def lock(self, timeout: float = -1) -> FileLock:
        """Lock to hold while writes are sent: another process may be sending them, too."""
        return FileLock(self.folder / ".lock", timeout)

    def read(self, file: Path) -> SpooledWrite | None:
        """A write; None if it is damaged, and was set aside."""
        try:
            return decode(file.read_bytes())
        except (OSError, ValueError) as error:
            log.warning("%s is not sent, and kept as *%s: %s.", file, DAMAGED, error)
            set_aside(file, DAMAGED)
            return None

    def refused(self) -> list[Path]:
        """Files of the writes that MLflow has refused."""
        return sorted(self.folder.glob(f"*{REFUSED}"))

    def retry_refused(self) -> None:
        """Let the refused writes wait again."""
        for file in self.refused():
            file.replace(file.with_suffix(ENDING))

    def set_pickles_aside(self) -> None:
        """Keep the writes of earlier versions, without reading them: a pickle can run any code."""
        if pickles := [*self.folder.glob("*.pkl")]:
            log.warning(
                "%d writes in %s are pickles of an earlier version, which can run code: they are "
                "not sent, and kept as *.pkl.unread.",
                len(pickles),
                self.folder,
            )
        for file in pickles:
            set_aside(file, ".pkl.unread")

    def remove_if_empty(self) -> None:
        """Remove the folder, unless something waits in it."""
        with suppress(OSError):
            if not any(file.name != ".lock" for file in self.folder.iterdir()):
                (self.folder / ".lock").unlink(missing_ok=True)
                self.folder.rmdir()


def set_aside(file: Path, ending: str) -> None:
    """Rename the file of a write, so that it is not sent."""
    with suppress(OSError):  # the folder may be read-only
        file.replace(file.with_suffix(ending))
