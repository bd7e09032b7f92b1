"""Arrays in memory that the training processes of a machine share; each fills its part of them."""

import os
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch.distributed as dist

from datamodules.sources.free_memory import free_memory

Fill = Callable[[np.ndarray, range], None]  # fills an array at some indices of the first axis
NAMESPACE, BOOT = Path("/proc/self/ns/pid"), Path("/proc/sys/kernel/random/boot_id")


def shared_array(shape: tuple[int, ...], fill: Fill) -> np.ndarray:
    """An array of uint8, of which a machine has one copy however many processes train on it.

    It is a file without a name (memfd), so nothing is left of it when the last process has ended,
    whether as it should or killed, and the size of `/dev/shm`, which is small in containers, does
    not matter. Other systems than Linux lack such files: each training process has its own copy.

    Args:
        shape: Its shape, the same in every process.
        fill: Fills a part of it; the parts of the processes together are all indices.

    Raises:
        ValueError: If the machine has not enough free memory.
    """
    _check_memory(shape)
    if sys.platform != "linux":
        array = np.empty(shape, np.uint8)
        fill(array, range(len(array)))
        return array
    array, own = _nameless_file(shape)
    places = _places_on_this_machine(own)
    if places[0] != own:  # the first process keeps the images
        array = np.load(places[0], mmap_mode="r+")
    fill(array, range(places.index(own), len(array), len(places)))
    if len(places) > 1:
        dist.barrier()
    return array


def _check_memory(shape: tuple[int, ...]) -> None:
    number, *size = shape
    if (needed := int(np.prod(shape, dtype=np.int64))) > (free := free_memory()):
        raise ValueError(
            f"cache: ram needs {needed / 1e9:,.1f} GB for {number:,} images of "
            f"{' x '.join(map(str, size))}, and {free / 1e9:,.1f} GB of memory are free. Use "
            "--data.options.cache disk, or a smaller --data.image_size."
        )


def _nameless_file(shape: tuple[int, ...]) -> tuple[np.memmap, str]:
    """An array in a file without a name, and its place; untouched, it takes no memory."""
    descriptor = os.memfd_create("images")
    place = f"/proc/{os.getpid()}/fd/{descriptor}"  # other processes of the user find it here
    array = np.lib.format.open_memmap(place, "w+", np.uint8, shape)
    weakref.finalize(array, os.close, descriptor)
    return array, place


def _places_on_this_machine(own: str) -> list[str]:
    """Where the files of the processes on this machine are, in the order of the ranks."""
    if not (dist.is_available() and dist.is_initialized()):
        return [own]
    # Containers on one machine do not see each other's processes.
    machine = f"{BOOT.read_text()} {NAMESPACE.readlink()}"
    of_all: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(of_all, (machine, own))
    return [place for of, place in of_all if of == machine]
