"""Two processes that keep one copy of the decoded images, and what happens to it."""

import os
import pickle
import signal
import sys
from typing import Any

import numpy as np
import pytest
import torch.distributed as dist

from datamodules.sources import free_memory, shared_memory
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.cache import cached
from datamodules.sources.files import FileReader
from datamodules.sources.shared_memory import shared_array
from datamodules.sources.source import ImageSource

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs files without names")
NAMES = [f"{index}.png" for index in range(7)]


def fill_with_indices(images, indices):
    for index in indices:
        images[index] = index


def open_descriptors():
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def in_two_processes(work, expected=(0, 0)):
    """Run `work(rank)` in two forked processes; their exit statuses must be the expected ones."""
    children = []
    for rank in range(2):
        if not (child := os.fork()):
            status = 1
            try:
                work(rank)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert tuple(os.waitpid(child, 0)[1] for child in children) == expected


def test_each_process_decodes_its_share_of_one_copy(tmp_path, write_image, monkeypatch):
    for index, name in enumerate(NAMES):
        write_image(tmp_path / name, color=(index, 0, 0))

    def work(rank):
        dist.init_process_group("gloo", f"file://{tmp_path}/meeting", rank=rank, world_size=2)
        decoded = []
        read = FileReader.read
        monkeypatch.setattr(
            FileReader, "read", lambda self, row: decoded.append(row) or read(self, row)
        )
        source = ImageSource(FileReader(tmp_path, NAMES, 4, 3), np.zeros(7, np.int64), NAMES)
        reader = cached(source, "ram").reader
        assert isinstance(reader, ArrayReader)
        images = reader.images
        assert isinstance(images, np.memmap)
        assert sorted(decoded) == sorted([0, *range(rank, 7, 2)])  # the first tells the size
        assert images[:, 0, 0, 0].tolist() == list(range(7))
        state = os.stat(str(images.filename))  # noqa: PTH116
        files: list[Any] = [None, None]
        dist.all_gather_object(files, (state.st_ino, state.st_nlink))
        assert files[0] == files[1]
        assert state.st_nlink == 0  # no name: it is freed with the last process
        dist.barrier()  # the first has the file until the other has looked at it

    in_two_processes(work)


def test_a_copy_outlives_a_killed_process_that_made_it(tmp_path):
    def work(rank):
        dist.init_process_group("gloo", f"file://{tmp_path}/meeting", rank=rank, world_size=2)
        images = shared_array((6, 2, 2, 1), fill_with_indices)
        first = [os.getpid()]
        dist.broadcast_object_list(first, src=0)
        if rank == 0:
            signal.pause()
        os.kill(first[0], signal.SIGKILL)
        assert images[:, 1, 1, 0].tolist() == list(range(6))

    in_two_processes(work, (signal.SIGKILL, 0))


def test_a_pickled_reader_maps_the_same_memory():
    images = shared_array((3, 2, 2, 1), fill_with_indices)
    copy = pickle.loads(pickle.dumps(ArrayReader(images)))
    assert copy.images.tolist() == images.tolist()
    images[1] = 77
    assert copy.read(1).tolist() == [[[77], [77]], [[77], [77]]]


def test_memory_is_given_back_when_no_one_uses_the_images():
    before = open_descriptors()
    images = shared_array((3, 2, 2, 1), fill_with_indices)
    assert open_descriptors() > before
    del images
    assert open_descriptors() == before


def test_images_that_do_not_fit_into_memory_are_refused_with_both_sizes(monkeypatch):
    monkeypatch.setattr(shared_memory, "free_memory", lambda: 1_200_000_000)
    text = r"12\.2 GB for 81,000 images of 224 x 224 x 3, and 1\.2 GB of memory are free\. Use"
    with pytest.raises(ValueError, match=text):
        shared_array((81_000, 224, 224, 3), fill_with_indices)


def test_the_limit_of_a_container_counts_without_the_files_it_has_read(tmp_path, monkeypatch):
    monkeypatch.setattr(free_memory, "CONTAINER", tmp_path)
    whole = free_memory.free_memory()
    assert whole > 1_000_000
    (tmp_path / "memory.current").write_text("5000\n")
    (tmp_path / "memory.stat").write_text("anon 3000\ninactive_file 1500\n")
    (tmp_path / "memory.max").write_text("9000\n")
    assert free_memory.free_memory() == 9000 - 5000 + 1500
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory.free_memory() > 1_000_000
