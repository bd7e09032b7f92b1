"""Fixed images: those that pictures show, the same at every epoch and spread over the classes."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from datamodules.dataset import AugmentedDataset, make_batch, to_unit_range
from datamodules.sources.source import ImageSource


def images_at(source: ImageSource, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The images at some indices, without augmentation.

    Returns:
        Images (N, C, H, W) in [0, 1], and labels (N,).
    """
    read = ((index, source.read(index)) for index in indices)
    images, labels, _ = make_batch(source, read, len(indices))
    return to_unit_range(images), labels


def augmented_draws(dataset: AugmentedDataset, indices: Sequence[int], num_draws: int) -> Tensor:
    """Images as augmentation makes them in the first epochs, (N, num_draws, C, H, W) in [0, 1]."""
    epochs = range(num_draws)
    draws = [dataset.__getitems__([(epoch, index) for epoch in epochs])[0] for index in indices]
    return to_unit_range(torch.stack(draws))


def spread(labels: np.ndarray, num_images: int) -> list[int]:
    """Indices of images spread evenly over the classes, ordered by class.

    Images are taken from one class after another until there are enough. With fewer images than
    classes, the chosen classes are spread evenly too.

    Args:
        labels: Class index of each image, (N,).
        num_images: How many images to choose; all of them if there are fewer.
    """
    members = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    if num_images < len(members):
        chosen = np.linspace(0, len(members) - 1, num_images).round().astype(int)
        return [members[label][0] for label in chosen]
    rounds = range(max((len(images) for images in members), default=0))
    turns = [(turn, label) for turn in rounds for label, m in enumerate(members) if turn < len(m)]
    return [
        members[label][turn] for turn, label in sorted(turns[:num_images], key=lambda t: t[::-1])
    ]
