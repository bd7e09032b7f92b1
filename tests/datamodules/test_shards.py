from collections import Counter

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from datamodules import ShardDataModule
from datamodules.splits.sampler import Position, TrainSampler
from models import SmallCNN


@pytest.fixture
def data(shards):
    return ShardDataModule(
        str(shards), image_size=8, batch_size=4, num_workers=0, augmentation="none"
    )


class Indices(Dataset):
    """Reads an image, and returns its index."""

    def __init__(self, source):
        self.source = source

    def __getitem__(self, position):
        _, index = position
        return index, self.source.read(index)[0, 0, 0]


def indices_of(data, rank=0, world_size=1, epoch=0, num_seen=0, num_workers=0):
    """Indices that a process reads in an epoch, in order, through its loader processes."""
    source, position = data.sources["train"], Position(epoch, num_seen)
    sampler = TrainSampler(
        len(source), 0, lambda: position, rank, world_size, None, source.blocks()
    )
    loader = DataLoader(Indices(source), 4, sampler=sampler, num_workers=num_workers)
    return [index for indices, _ in loader for index in indices.tolist()]


def test_epoch_of_two_processes_with_two_workers_shows_each_image_once(data):
    parts = [indices_of(data, rank, world_size=2, num_workers=2) for rank in range(2)]
    num_images = len(data.sources["train"])
    assert len(parts[0]) == len(parts[1]) == num_images // 2
    shown = Counter(parts[0] + parts[1])
    assert max(shown.values()) == 1
    assert len(shown) == num_images - num_images % 2


def test_epochs_differ_in_the_order_of_images_and_shards(data):
    blocks = data.sources["train"].blocks()
    first, second = indices_of(data, epoch=0), indices_of(data, epoch=1)
    assert sorted(first) == sorted(second)
    assert first != second
    assert set(blocks[first[:10]]) != set(blocks[second[:10]])


def test_resumed_epoch_continues_after_the_images_seen(data):
    assert indices_of(data, epoch=1, num_seen=16) == indices_of(data, epoch=1)[16:]


def test_processes_share_at_most_one_window_of_shards(data):
    blocks = data.sources["train"].blocks()
    first, second = (set(blocks[indices_of(data, rank, world_size=2)]) for rank in range(2))
    assert len(first | second) > 8
    assert len(first & second) <= 8


def test_training_does_not_depend_on_the_number_of_workers(shards, make_trainer, make_classifier):
    weights = []
    for num_workers in (0, 2):
        data = ShardDataModule(str(shards), image_size=8, batch_size=4, num_workers=num_workers)
        model = make_classifier(num_classes=3, make_backbone=lambda: SmallCNN(8, 3))
        make_trainer(max_epochs=1).fit(model, data)
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*weights)
