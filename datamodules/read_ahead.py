"""Read-ahead: what a loader reads next is fetched while it reads what it has."""

import numpy as np
import torch
from torch.utils.data import get_worker_info

from datamodules.sources.source import ImageSource
from datamodules.splits.sampler import WINDOW


class ReadAhead:
    """The order in which a loader reads the blocks of a source, and how far it has come.

    The sampler announces the order in the main process, when an epoch begins. Each loader process
    follows it batch by batch, and has the next `WINDOW` blocks fetched. Nothing depends on it but
    the time that reading takes: what was not fetched is fetched when it is read.

    Args:
        source: The images.
        num_blocks: Number of blocks; see `ImageReader.blocks`.
    """

    def __init__(self, source: ImageSource, num_blocks: int) -> None:
        self.source = source
        # In shared memory: how often an order was announced, and the order, filled up with -1.
        self.announced = torch.full((1 + num_blocks,), -1).share_memory_()
        self._round = self._reached = -1

    def announce(self, indices: np.ndarray) -> None:
        """Tell the loader processes the order of an epoch.

        Args:
            indices: The images in the order in which they will be read, (N,).
        """
        blocks = self._blocks(indices)
        _, first = np.unique(blocks, return_index=True)
        content = self.announced.numpy()
        content[1:] = -1
        content[1 : 1 + len(first)] = blocks[np.sort(first)]
        content[0] += 1

    def follow(self, indices: np.ndarray) -> None:
        """Fetch what comes after a batch, in the background, and what is missing for it.

        Args:
            indices: The images of the batch, (N,).
        """
        content = self.announced.numpy()
        number, order = content[0], content[1:]
        if number != self._round:
            self._round, self._reached = number, -1
        places = np.flatnonzero(np.isin(order, self._blocks(indices)))
        reached = max(self._reached, int(places.max(initial=-1)))
        if reached != self._reached:
            self._reached = reached
            next_blocks = order[max(0, reached + 1 - WINDOW) : reached + 1 + WINDOW]
            worker = get_worker_info()
            others = worker.num_workers if worker else 1
            self.source.reader.fetch(next_blocks[next_blocks >= 0], -(-WINDOW // others))

    def _blocks(self, indices: np.ndarray) -> np.ndarray:
        blocks = self.source.reader.blocks(self.source.rows[indices])
        assert blocks is not None
        return blocks


def read_ahead(source: ImageSource) -> ReadAhead | None:
    """The read-ahead of a loader; None if its images are not in blocks."""
    blocks = source.blocks()
    return None if blocks is None or not len(blocks) else ReadAhead(source, int(blocks.max()) + 1)
