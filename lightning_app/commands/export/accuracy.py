"""Accuracy of exported networks on images of their dataset, and how often they agree."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch

from datamodules import ImageDataModule
from lightning_app.cli.networks.dataset_images import dataset_images
from lightning_app.cli.networks.write_files import Run
from models.evaluation.paired_test import PairedTest, paired_test


class Scored(NamedTuple):
    """Predictions of some networks for the same labelled images.

    Attributes:
        labels: True classes, (N,).
        predicted: Predicted classes, (N,), by the name of the network.
    """

    labels: np.ndarray
    predicted: dict[str, np.ndarray]

    def accuracy(self, name: str) -> float:
        """Share of images that a network classifies correctly, in [0, 1]."""
        return float((self.predicted[name] == self.labels).mean())

    def agreement(self, first: str, second: str) -> float:
        """Share of images for which two networks predict the same class, in [0, 1]."""
        return float((self.predicted[first] == self.predicted[second]).mean())

    def test(self, first: str, second: str) -> PairedTest:
        """Whether the second network is more or less accurate than the first."""
        correct = [
            torch.from_numpy(self.predicted[name] == self.labels)[None] for name in (first, second)
        ]
        return paired_test(*correct)


def score(networks: Mapping[str, Run], data: ImageDataModule, split: str, most: int) -> Scored:
    """Classify images with all networks.

    Args:
        networks: Map images, uint8 (n, C, H, W), to probabilities.
        data: The dataset.
        split: The split whose images are classified.
        most: The number of images, if there are more.

    Raises:
        ValueError: If no image can be read.
    """
    labels: list[np.ndarray] = []
    predicted: dict[str, list[np.ndarray]] = {name: [] for name in networks}
    for images, true in dataset_images(data, split, most):
        labels.append(true)
        for name, run in networks.items():
            predicted[name].append(run(images).argmax(axis=1))
    if not labels:
        raise ValueError(f"None of the {split} images can be read.")
    return Scored(
        np.concatenate(labels), {name: np.concatenate(each) for name, each in predicted.items()}
    )
