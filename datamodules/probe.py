"""The images that pictures are made of: always the same ones, spread over the classes."""

import torch
from torch import Tensor

from datamodules.dataset import AugmentedDataset, to_tensor, to_unit_range
from datamodules.sources.source import ImageSource
from datamodules.splits.split import spread


def probe_images(source: ImageSource, num_images: int) -> tuple[Tensor, Tensor, list[int]]:
    """Images in [0, 1], (N, C, H, W), their labels (N,), and their indices; ordered by class."""
    chosen = spread(source.labels, num_images)
    images = torch.stack([to_tensor(source.read(index)) for index in chosen])
    return to_unit_range(images), torch.from_numpy(source.labels[chosen]), chosen


def draws_of(dataset: AugmentedDataset, indices: list[int], num_draws: int) -> Tensor:
    """What augmentation makes of images in the first epochs, in [0, 1], (N, num_draws, C, H, W)."""
    draws = [
        torch.stack([dataset[epoch, index][0] for epoch in range(num_draws)]) for index in indices
    ]
    return to_unit_range(torch.stack(draws))
