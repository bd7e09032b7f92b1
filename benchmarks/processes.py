"""Processes of a benchmark: a command with a time limit, and the CPU time that it takes."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Finished(NamedTuple):
    """How a command ended.

    Attributes:
        status: Its exit status; None if it ran out of time.
        seconds: How long it ran.
        cpu: CPU seconds of all its processes.
    """

    status: int | None
    seconds: float
    cpu: float

    @property
    def problem(self) -> str | None:
        """What went wrong; None if nothing did."""
        if self.status is None:
            return f"stopped after {self.seconds:.0f} s, its limit"
        return f"ended with exit status {self.status}" if self.status else None


def run_limited(
    command: Sequence[str], seconds: float, folder: Path, printed: Path, log: Path
) -> Finished:
    """Run a command, and end it with all its processes when its time is up.

    Args:
        command: The program and its arguments.
        seconds: How long it may run.
        folder: The folder to run it in.
        printed: File for what it prints.
        log: File for its messages, on standard error.
    """
    started, before = time.monotonic(), _cpu_of_children()
    with printed.open("w") as out, log.open("w") as messages:
        process = subprocess.Popen(
            [*command], cwd=folder, stdout=out, stderr=messages, start_new_session=True
        )
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(process)
    return Finished(status, time.monotonic() - started, _cpu_of_children() - before)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, and those that it has started and not ended."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
