from types import SimpleNamespace

import numpy as np
import pytest
import torch

from datamodules import ShardDataModule
from datamodules.loaders import make_loader
from datamodules.read_ahead import ReadAhead
from datamodules.sources.remote import StorageError
from datamodules.splits.sampler import EvalSampler, Position, TrainSampler

LIMIT = 60  # seconds, which only end a test that hangs


def module_of(root, num_workers=0, **options):
    return ShardDataModule(
        str(root), image_size=8, batch_size=4, num_workers=num_workers, **options
    )


def loader_of(data, epoch=0, num_seen=0, rank=0, world_size=1):
    """The training images from a position on, in one of several training processes."""
    dataset, position = data._training_images(), Position(epoch, num_seen)
    announce = dataset.read_ahead.announce
    source, share = dataset.source, (rank, world_size)
    sampler = TrainSampler(
        len(source), 0, lambda: position, *share, None, source.blocks(), announce
    )
    return make_loader(dataset, sampler, data.batch_size, data.num_workers)


def shards_of(data, **position):
    """Names of the shards of the training images, in the order in which they are needed."""
    blocks = data.sources["train"].blocks()
    order = [blocks[i] for _, _, indices in loader_of(data, **position) for i in indices.tolist()]
    files = data.sources["train"].reader.shards
    return [files[block].name for block in dict.fromkeys(order)]


def tar_files(log):
    return {name for name, _ in log if name.endswith(".tar")}


@pytest.fixture
def fetched():
    """Read-ahead of 20 blocks of two images each, and the blocks that it has asked for."""
    asked = []
    reader = SimpleNamespace(
        blocks=lambda rows: rows // 2,
        fetch=lambda blocks, num_threads: asked.append((blocks.tolist(), num_threads)),
    )
    return ReadAhead(SimpleNamespace(reader=reader, rows=np.arange(40)), 20), asked


def test_eight_blocks_after_the_last_one_that_was_reached_are_fetched(fetched):
    ahead, asked = fetched
    ahead.announce(np.arange(40))
    ahead.follow(np.array([0]))
    ahead.follow(np.array([1, 5]))
    ahead.follow(np.array([3]))  # nothing new
    ahead.follow(np.array([38]))
    assert [blocks for blocks, _ in asked] == [
        list(range(9)),
        list(range(11)),
        list(range(12, 20)),
    ]
    assert {num_threads for _, num_threads in asked} == {8}


def test_blocks_are_fetched_in_the_order_of_the_epoch(fetched):
    ahead, asked = fetched
    for order in ([30, 4, 31, 9], [8, 30]):
        ahead.announce(np.array(order))
        ahead.follow(np.array(order[:1]))
    assert [blocks for blocks, _ in asked] == [[15, 2, 4], [4, 15]]


def test_evaluation_announces_the_images_of_its_process():
    announced = []
    assert list(EvalSampler(10, 1, 2, announced.append)) == [5, 6, 7, 8, 9]
    assert announced[0].tolist() == [5, 6, 7, 8, 9]


def test_next_shards_are_requested_before_they_are_read(serve, shards):
    order = shards_of(module_of(shards))
    with serve(held=order[5:]) as (url, _, gates):
        batches = iter(loader_of(module_of(url)))
        first = next(batches)  # of four shards at most
        assert all(gates[name].reached.wait(LIMIT) for name in order[5:8])
        for gate in gates.values():
            gate.opened.set()
        assert sum(len(indices) for _, _, indices in [first, *batches]) == 51


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("num_seen", [0, 16])
def test_batches_are_those_of_local_shards_which_are_not_fetched(
    serve, shards, num_workers, num_seen
):
    position = {"epoch": 1, "num_seen": num_seen}
    local = list(loader_of(module_of(shards), **position))
    with serve() as (url, _):
        remote = list(loader_of(module_of(url, num_workers), **position))
    assert sum(len(indices) for _, _, indices in local) == 51 - num_seen
    for ours, theirs in zip(remote, local, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_each_training_process_fetches_only_the_shards_that_it_reads(serve, shards):
    for rank in range(2):
        position = {"rank": rank, "world_size": 2, "num_seen": 4}
        expected = shards_of(module_of(shards), **position)
        with serve() as (url, log):
            list(loader_of(module_of(url), **position))
        assert tar_files(log) <= {*expected}


def test_shard_that_cannot_be_fetched_is_an_error_of_its_reader(serve, shards):
    last = shards / shards_of(module_of(shards))[-1]
    last.write_bytes(last.read_bytes().replace(b"train", b"drain"))
    with serve() as (url, _):
        batches = iter(loader_of(module_of(url)))
        assert len(next(batches)[0]) == 4
        with pytest.raises(StorageError, match=f"{url}/{last.name} differs from"):
            list(batches)


def test_images_read_once_in_order_are_fetched_ahead(serve, shards):
    order = [file.name for file in module_of(shards).sources["train"].reader.shards]
    with serve(held=order[7:8]) as (url, _, gates):
        batches = module_of(url).plain_batches("train", range(40))
        first = next(batches)  # of two shards at most
        assert gates[order[7]].reached.wait(LIMIT)
        gates[order[7]].opened.set()
        assert sum(len(indices) for _, _, indices in [first, *batches]) == 40
