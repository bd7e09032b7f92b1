"""The images that pictures are made of: always the same ones, spread over the classes."""

import torch
from torch import Tensor

from datamodules.dataset import AugmentedDataset, make_batch, to_unit_range
from datamodules.sources.source import ImageSource
from datamodules.splits.split import spread


def probe_images(source: ImageSource, num_images: int) -> tuple[Tensor, Tensor, list[int]]:
    """Images in [0, 1], (N, C, H, W), their labels (N,), and their indices; ordered by class."""
    chosen = spread(source.labels, num_images)
    images, labels, _ = make_batch(source, [source.read(index) for index in chosen], chosen)
    return to_unit_range(images), labels, chosen


def draws_of(dataset: AugmentedDataset, indices: list[int], num_draws: int) -> Tensor:
    """What augmentation makes of images in the first epochs, in [0, 1], (N, num_draws, C, H, W)."""
    epochs = range(num_draws)
    draws = [dataset.__getitems__([(epoch, index) for epoch in epochs])[0] for index in indices]
    return to_unit_range(torch.stack(draws))
