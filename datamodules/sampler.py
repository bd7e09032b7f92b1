"""The order of an epoch: a function of seed and epoch, so that nothing of it has to be saved."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Sampler


class Position(NamedTuple):
    """Where training stands: the epoch, and the samples of it that were seen already."""

    epoch: int
    num_seen: int


class TrainSampler(Sampler[tuple[int, int]]):
    """Shuffle, share out between the processes, and go on where a resumed epoch stopped.

    Yields (epoch, index), so that the data set can draw the augmentation of an image from both.

    Args:
        num_images: Images in the data set.
        seed: Seed of the run.
        position: Asked when an epoch begins.
        rank: Number of this process.
        world_size: Number of processes; all get as many images.
    """

    def __init__(
        self,
        num_images: int,
        seed: int,
        position: Callable[[], Position],
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.num_images, self.seed, self.position = num_images, seed, position
        self.rank, self.world_size = rank, world_size

    def __len__(self) -> int:
        return self.num_images // self.world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, num_seen = self.position()
        generator = torch.Generator().manual_seed(mix(self.seed, epoch))
        order = torch.randperm(self.num_images, generator=generator).tolist()
        mine = order[self.rank :: self.world_size][: len(self)]
        yield from ((epoch, index) for index in mine[num_seen:])


class EvalSampler(Sampler[int]):
    """In order, every image in exactly one process.

    Args:
        num_images: Images in the data set.
        rank: Number of this process.
        world_size: Number of processes.
    """

    def __init__(self, num_images: int, rank: int = 0, world_size: int = 1) -> None:
        self.indices = range(rank, num_images, world_size)

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)


def mix(*numbers: int) -> int:
    """One seed from several numbers, without the patterns that their sum would have."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
