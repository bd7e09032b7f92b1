"""Every file of a data set, in several processes."""

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext
from pathlib import Path

import cv2
from tqdm import tqdm

from lightning_app.commands.prepare.check import facts
from lightning_app.commands.prepare.check.facts import Facts, inspect

CHUNK = 16  # files that a process is handed at once
PATIENCE = 2  # seconds before a progress bar appears


def survey(files: Sequence[Path], processes: int) -> list[Facts]:
    """Inspect each file once, with a progress bar.

    Args:
        files: The files.
        processes: How many to start; one works in this process.

    Returns:
        What each file holds, in their order.
    """
    processes = min(processes, -(-len(files) // CHUNK))
    if processes <= 1:
        return _with_progress(map(inspect, files), len(files))
    with ProcessPoolExecutor(processes, _context(), _use_one_thread) as pool:
        return _with_progress(pool.map(inspect, files, chunksize=CHUNK), len(files))


def _with_progress(results: Iterable[Facts], total: int) -> list[Facts]:
    return list(tqdm(results, "looking at the files", total, delay=PATIENCE, unit="img"))


def _context() -> BaseContext:
    """Processes that start from one that has imported the decoders, where the platform can."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([facts.__name__])
    return context


def _use_one_thread() -> None:
    """A process a core is enough: OpenCV would start a thread a core in each."""
    cv2.setNumThreads(0)
