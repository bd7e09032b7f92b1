"""From a source to tensors."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from datamodules.augmentation import Augmentation
from datamodules.sampler import mix
from datamodules.source import ImageSource

Item = tuple[Tensor, int, int]  # uint8 image (C, H, W), label, index in the source


class PlainDataset(Dataset[Item]):
    """Images as they are, for everything but training.

    Args:
        source: Where images and labels come from.
    """

    def __init__(self, source: ImageSource) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self.source.labels)

    def __getitem__(self, index: int) -> Item:
        return to_tensor(self.source.read(index)), int(self.source.labels[index]), index


class AugmentedDataset(Dataset[Item]):
    """Images as training sees them: what is drawn depends on seed, epoch and index alone.

    Args:
        source: Where images and labels come from.
        augmentation: What is done to each image.
        seed: Seed of the run.
    """

    def __init__(self, source: ImageSource, augmentation: Augmentation, seed: int) -> None:
        self.source, self.augmentation, self.seed = source, augmentation, seed

    def __len__(self) -> int:
        return len(self.source.labels)

    def __getitem__(self, position: tuple[int, int] | int) -> Item:
        # Lightning's `overfit_batches` takes our sampler away; its own yields plain indices.
        epoch, index = (0, position) if isinstance(position, int) else position
        image = self.augmentation(self.source.read(index), mix(self.seed, epoch, index))
        return to_tensor(image), int(self.source.labels[index]), index


def to_tensor(image: np.ndarray) -> Tensor:
    """From (H, W, C) to (C, H, W), still uint8: a quarter of what a batch of floats weighs."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
