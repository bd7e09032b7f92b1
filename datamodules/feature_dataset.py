"""Feature dataset: features of a frozen network in place of images."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from datamodules.dataset import Batch
from datamodules.sources.source import ImageSource


class FeatureDataset(Dataset[Batch]):
    """Features that were computed before, as batches like those of images.

    Args:
        source: The images that the features belong to.
        features: (views, N, D); each epoch takes the next view.
        seed: Seed of the run.
    """

    def __init__(self, source: ImageSource, features: Tensor, seed: int) -> None:
        self.source, self.features, self.seed = source, features, seed
        self.labels = torch.from_numpy(source.labels)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, position: tuple[int, int] | int) -> Batch:
        return self.__getitems__([position])

    def __getitems__(self, positions: Sequence[tuple[int, int] | int]) -> Batch:
        """Features (N, D), labels and indices of the images at (epoch, index), or at an index."""
        places = [(0, place) if isinstance(place, int) else place for place in positions]
        epochs, indices = torch.tensor(places, dtype=torch.int64).reshape(-1, 2).T
        features = self.features[epochs % len(self.features), indices]
        return [features, self.labels[indices], indices]
