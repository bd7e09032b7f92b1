"""Run file: what this machine knows of a run, beside its checkpoints; its age is a heartbeat."""

import contextlib
import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from datamodules.atomic_files import atomic_write

FILE = "run.json"
RUNNING, FINISHED = "RUNNING", "FINISHED"  # MLflow's names of states
BEAT_SECONDS = 20.0  # between two heartbeats
SILENT_SECONDS = 300.0  # without one, after which a run on another machine counts as dead


class RunFile(NamedTuple):
    """What is known of a run without its store.

    Attributes:
        name: Name of the run.
        status: State of its training, as MLflow calls it.
        started: When it was started or resumed the last time, in seconds since 1970.
        parent: Id of its parent run; None if a user started it.
        host: Machine of the process that trains it.
        process: Id of that process.
        born: When that process started, which tells it from a later one of the same id.
    """

    name: str
    status: str
    started: float
    parent: str | None
    host: str
    process: int
    born: float

    @property
    def is_child(self) -> bool:
        """Whether it belongs to an ablation or a search."""
        return self.parent is not None


def new_run_file(name: str, parent: str | None) -> RunFile:
    """The file of a run that this process trains from now on."""
    return RunFile(
        name, RUNNING, time.time(), parent, socket.gethostname(), os.getpid(), born(os.getpid())
    )


def read_run_file(folder: Path) -> RunFile | None:
    """Read the file of a run; None if there is none, as in runs of earlier versions."""
    try:
        return RunFile(**json.loads((folder / FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_run_file(folder: Path, content: RunFile) -> None:
    """Write the file of a run."""
    with atomic_write(folder / FILE) as unfinished:
        unfinished.write_text(json.dumps(content._asdict()), "utf-8")


def set_status(folder: Path, status: str) -> None:
    """Change the state in the file of a run, if there is one."""
    if (known := read_run_file(folder)) is not None:
        write_run_file(folder, known._replace(status=status))


def trains_elsewhere(folder: Path) -> bool:
    """Whether another process is training this run now.

    On this machine the process is looked up; on another one, the heartbeat has to be recent.
    """
    known = read_run_file(folder)
    if known is None or known.status != RUNNING:
        return False
    if known.host == socket.gethostname():
        return known.process != os.getpid() and known.born == born(known.process)
    return time.time() - (folder / FILE).stat().st_mtime < SILENT_SECONDS


class Heartbeat:
    """Touches the file of a run every `BEAT_SECONDS`, until it is stopped.

    Args:
        folder: Folder of the run's checkpoints.
    """

    def __init__(self, folder: Path) -> None:
        self._file, self._stopped = folder / FILE, threading.Event()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def stop(self) -> None:
        """Stop."""
        self._stopped.set()

    def _beat(self) -> None:
        while not self._stopped.wait(BEAT_SECONDS):
            with contextlib.suppress(OSError):
                os.utime(self._file)


def born(process: int) -> float:
    """When a process started; 0 if there is none, or it has ended and waits for its parent."""
    try:
        found = psutil.Process(process)
        return 0.0 if found.status() == psutil.STATUS_ZOMBIE else found.create_time()
    except psutil.Error:
        return 0.0
