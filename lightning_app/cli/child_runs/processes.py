"""Processes that run in parallel: their share of the machine, their locks and their end."""

import fcntl
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import torch

TAIL = 12  # lines of output that are printed of a failed run
Environment = dict[str, str]


def end_processes(processes: Sequence[subprocess.Popen[bytes]], grace: float) -> None:
    """Ask processes to stop, and kill those that have not after `grace` seconds."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + grace
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:  # Lightning handles a signal only between two steps
            process.kill()
            process.wait()


def try_lock(file: BinaryIO) -> bool:
    """Lock an open file, for this process and those that share it; False if it is locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def exit_on_sigterm(number: int, frame: Any) -> None:
    """Signal handler: exit with the usual status, as a batch system asks."""
    print("\nAsked to stop. The same command resumes.", flush=True)
    raise SystemExit(128 + number)


def environments(jobs: int) -> list[Environment]:
    """Environment variables of each job: the cores are divided, and so are several GPUs."""
    own, gpus = dict(os.environ), torch.cuda.device_count()
    if jobs == 1:
        return [own]
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    shared = {"OMP_NUM_THREADS": threads, **own}
    visible = own.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus)))).split(",")
    return [
        {**shared, "CUDA_VISIBLE_DEVICES": visible[slot % gpus]} if gpus > 1 else shared
        for slot in range(jobs)
    ]


def last_lines(file: Path) -> str:
    """The last lines of a log as a terminal shows them: progress bars overwrite themselves."""
    lines = file.read_text("utf-8", "replace").replace("\r\n", "\n").split("\n")
    shown = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines]
    return "\n".join(f"  {line}" for line in [line for line in shown if line.strip()][-TAIL:])
