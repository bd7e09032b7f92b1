"""Samplers: the order of an epoch is a function of seed and epoch, so nothing has to be saved."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Sampler

from datamodules.splits.mix import mix

WINDOW = 8  # number of blocks whose images are shuffled together

Announce = Callable[[np.ndarray], None]  # gets indices of images in the order of reading, (N,)


class Position(NamedTuple):
    """Position of the training: the epoch, and how many of its samples have been seen."""

    epoch: int
    num_seen: int


class TrainSampler(Sampler[tuple[int, int]]):
    """Shuffle, divide between the processes, and continue a resumed epoch where it stopped.

    Yields (epoch, index): the dataset draws the augmentation of an image from both.

    Args:
        num_images: Number of images in the dataset.
        seed: Seed of the run.
        position: Called when an epoch begins.
        rank: Number of this process.
        world_size: Number of processes; all get equally many images.
        weights: How often to draw each image, with replacement, relative to the others, (N,); None
            shows each once.
        blocks: The block that each image is stored in, (N,): the images of `WINDOW` blocks are
            shuffled together, so that a process reads few blocks at a time. None shuffles freely.
        announce: Called with all images of this process, in order, when an epoch begins.
    """

    def __init__(
        self,
        num_images: int,
        seed: int,
        position: Callable[[], Position],
        rank: int = 0,
        world_size: int = 1,
        weights: np.ndarray | None = None,
        blocks: np.ndarray | None = None,
        announce: Announce | None = None,
    ) -> None:
        self.num_images, self.seed, self.position = num_images, seed, position
        self.rank, self.world_size = rank, world_size
        self.weights, self.blocks, self.announce = weights, blocks, announce

    def __len__(self) -> int:
        return self.num_images // self.world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, num_seen = self.position()
        mine = self._share(self._order(epoch))[num_seen:]
        if self.announce:
            self.announce(mine)
        yield from ((epoch, index) for index in mine.tolist())

    def _order(self, epoch: int) -> np.ndarray:
        """All images of an epoch, the same in every process."""
        generator = torch.Generator().manual_seed(mix(self.seed, epoch))
        if self.weights is None:
            order = torch.randperm(self.num_images, generator=generator).numpy()
        else:
            chances = torch.from_numpy(self.weights)
            order = torch.multinomial(chances, self.num_images, True, generator=generator).numpy()
        if self.blocks is None:
            return order
        shuffled = torch.randperm(int(self.blocks.max()) + 1, generator=generator).numpy()
        window = shuffled[self.blocks[order]] // WINDOW
        return order[np.argsort(window, kind="stable")]

    def _share(self, order: np.ndarray) -> np.ndarray:
        """The images of this process; if there are blocks, each process reads its own."""
        if self.blocks is None:
            return order[self.rank :: self.world_size][: len(self)]
        return order[self.rank * len(self) : (self.rank + 1) * len(self)]


class EvalSampler(Sampler[int]):
    """All images in order, each in exactly one process.

    Args:
        num_images: Number of images in the dataset.
        rank: Number of this process.
        world_size: Number of processes; each gets a contiguous part.
        announce: Called with all images of this process, in order, when they begin to be read.
    """

    def __init__(
        self,
        num_images: int,
        rank: int = 0,
        world_size: int = 1,
        announce: Announce | None = None,
    ) -> None:
        self.announce = announce
        self.indices = range(num_images * rank // world_size, num_images * (rank + 1) // world_size)

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        if self.announce:
            self.announce(np.array(self.indices))
        return iter(self.indices)


def sampling_weights(labels: np.ndarray, power: float) -> np.ndarray:
    """Weights of the images, so that a class is drawn in proportion to a power of its share.

    Args:
        labels: Class index of each image, (N,).
        power: 0 draws all classes equally often, 0.5 by the square root of their share, 1 by their
            share.

    Returns:
        One weight per image, (N,), float64.
    """
    counts = np.bincount(labels)
    return counts[labels] ** (power - 1.0)
