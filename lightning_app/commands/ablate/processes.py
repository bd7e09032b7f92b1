"""Processes that run beside each other, and how they end."""

import fcntl
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import torch

TAIL = 12  # lines of its output that the failure of a run is reported with
Environment = dict[str, str]


def end_processes(processes: Sequence[subprocess.Popen[bytes]], grace: float) -> None:
    """Ask processes to stop, and kill those that are still there after `grace` seconds."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + grace
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:  # Lightning heeds a signal only between two steps
            process.kill()
            process.wait()


def locked(file: BinaryIO) -> bool:
    """Lock an open file for us, and for the processes that share it; whether that could be done."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def exit_when_told(number: int, frame: Any) -> None:
    """A batch system asks us to stop."""
    print("\nTold to stop. The same command goes on from here.", flush=True)
    raise SystemExit(128 + number)


def environments(jobs: int) -> list[Environment]:
    """Share out the cores, and the GPUs if there are several."""
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
    """The last lines, each as a terminal would show it: a progress bar overwrites itself."""
    lines = file.read_text("utf-8", "replace").replace("\r\n", "\n").split("\n")
    shown = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines]
    return "\n".join(f"  {line}" for line in [line for line in shown if line.strip()][-TAIL:])
