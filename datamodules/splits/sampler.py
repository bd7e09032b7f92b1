"""The order of an epoch: a function of seed and epoch, so that nothing of it has to be saved."""

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Sampler

WINDOW = 8  # blocks whose images are shuffled among each other


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
        weights: How often to draw each image, with replacement, relative to the others, (N,); None
            shows each once.
        blocks: Which block each image is stored in, (N,): images of `WINDOW` blocks are shuffled
            among each other, so that a process reads few blocks at a time. None shuffles freely.
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
    ) -> None:
        self.num_images, self.seed, self.position = num_images, seed, position
        self.rank, self.world_size = rank, world_size
        self.weights, self.blocks = weights, blocks

    def __len__(self) -> int:
        return self.num_images // self.world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, num_seen = self.position()
        mine = self._share(self._order(epoch))
        yield from ((epoch, index) for index in mine[num_seen:].tolist())

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
        """The images of this process; each reads blocks of its own if there are blocks."""
        if self.blocks is None:
            return order[self.rank :: self.world_size][: len(self)]
        return order[self.rank * len(self) : (self.rank + 1) * len(self)]


class EvalSampler(Sampler[int]):
    """In order, every image in exactly one process.

    Args:
        num_images: Images in the data set.
        rank: Number of this process.
        world_size: Number of processes; each gets a part without gaps.
    """

    def __init__(self, num_images: int, rank: int = 0, world_size: int = 1) -> None:
        self.indices = range(num_images * rank // world_size, num_images * (rank + 1) // world_size)

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)


def sampling_weights(labels: np.ndarray, power: float) -> np.ndarray:
    """How often to draw each image so that a class comes by a power of its share.

    Args:
        labels: Class index of each image, (N,).
        power: 0 draws all classes alike, 0.5 by the square root of their share, 1 as they come.

    Returns:
        One weight an image, (N,), float64.
    """
    counts = np.bincount(labels)
    return counts[labels] ** (power - 1.0)


def mix(*numbers: int) -> int:
    """One seed from several numbers, without the patterns that their sum would have."""
    digest = hashlib.blake2b(repr(numbers).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")
