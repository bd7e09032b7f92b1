"""Survey: read every image of a dataset once, in several processes."""

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext

import cv2
from tqdm import tqdm

from lightning_app.commands.prepare.check import facts
from lightning_app.commands.prepare.check.facts import ImageFacts, facts_of, inspect, inspect_data
from lightning_app.commands.prepare.check.findings import Entry

CHUNK = 16  # files per task of a process
PATIENCE = 2  # seconds before a progress bar appears


def survey(entries: Sequence[Entry], processes: int) -> list[ImageFacts]:
    """Inspect each image once, with a progress bar.

    Args:
        entries: The images. If they are in memory or inside of other files, no other process is
            started.
        processes: How many to start; 1 works in this process.

    Returns:
        The properties of each image, in order.
    """
    if any(entry.pixels is not None for entry in entries):
        return _with_progress((facts_of(entry.read()) for entry in entries), len(entries))
    if any(entry.encoded is not None for entry in entries):
        return _with_progress(map(_of_encoded, entries), len(entries))
    files = [entry.file for entry in entries]
    processes = min(processes, -(-len(files) // CHUNK))
    if processes <= 1:
        return _with_progress(map(inspect, files), len(files))
    # One thread per process is enough: OpenCV would start one per core in each.
    with ProcessPoolExecutor(processes, _context(), cv2.setNumThreads, (0,)) as pool:
        return _with_progress(pool.map(inspect, files, chunksize=CHUNK), len(files))


def _of_encoded(entry: Entry) -> ImageFacts:
    assert entry.encoded is not None
    return inspect_data(entry.encoded(), entry.name)


def _with_progress(results: Iterable[ImageFacts], total: int) -> list[ImageFacts]:
    return list(tqdm(results, "checking the images", total, delay=PATIENCE, unit="img"))


def _context() -> BaseContext:
    """Start processes from one that has imported the decoders, if the platform can.

    They import `facts` but not this module, whose imports take a second.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([facts.__name__])
    return context
