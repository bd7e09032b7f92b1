"""Probed networks: how well the features of pretrained backbones tell the classes apart."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import timm
import torch
import torchvision.models
from torch import Tensor
from torchvision.models import list_models

from callbacks.frozen_features import frozen_features
from callbacks.label_suspects import copy_groups
from datamodules import ImageDataModule
from lightning_app.cli.errors.possible_names import suggest_names
from models import Backbone, TimmBackbone, TorchvisionBackbone
from models.device import device_named
from models.evaluation.confusion import confusion_counts
from models.evaluation.intervals import bootstrap_intervals
from models.evaluation.nearest_neighbour import nearest_neighbour
from models.linear_probe import fit_linear_probe
from models.standardize import Standardize

SPLITS = ("train", "val")


class Score(NamedTuple):
    """Accuracy with the ends of its 95 % interval, in [0, 1]."""

    accuracy: float
    low: float
    high: float

    def __str__(self) -> str:
        """The accuracy and the interval in percent."""
        return f"{100 * self.accuracy:.1f} ({100 * self.low:.1f} to {100 * self.high:.1f})"


class ProbedNetwork(NamedTuple):
    """A network and what its features are worth.

    Attributes:
        name: As it was asked for.
        linear: Accuracy of a logistic regression, in cross-validation.
        neighbour: Accuracy of the nearest other image.
        seconds: Time for the features, or for reading them if they were stored.
        parameters: Parameters of the backbone.
        num_features: Length of the feature vector.
        num_images: Images that were classified.
    """

    name: str
    linear: Score
    neighbour: Score
    seconds: float
    parameters: int
    num_features: int
    num_images: int


def check_networks(names: Sequence[str]) -> None:
    """Refuse names of unknown networks and missing files, before anything is computed.

    Args:
        names: See `build_backbone`.

    Raises:
        ValueError: If there is no such network, or no such file.
    """
    of_torchvision = list_models(module=torchvision.models)
    for name in names:
        network, equals, file = name.partition("=")
        if not timm.is_model(network) and network not in of_torchvision:
            similar = suggest_names(network, {*timm.list_models(), *of_torchvision})
            raise ValueError(f"Neither timm nor torchvision has a network {network!r}.{similar}")
        if equals and not Path(file).is_file():
            raise ValueError(f"{name}: there is no file {file!r}.")


def probe_networks(
    data: ImageDataModule, names: Sequence[str]
) -> tuple[list[ProbedNetwork], list[str]]:
    """Probe each network.

    Args:
        data: The dataset, which was set up.
        names: See `build_backbone`.

    Returns:
        The networks, the highest linear accuracy first; and why the others could not be built.
    """
    found, failed = [], []
    for name in names:
        try:
            backbone = build_backbone(name, data)
        except ConnectionError as error:
            cause = str(error).split(" Fetch it ")[0]
            failed.append(f"{name}: {cause} Name a file of weights instead: {name}=FILE")
        except ValueError as error:
            failed.append(f"{name}: {error}")
        else:
            found.append(probe_network(name, backbone, data))
    return sorted(found, key=lambda network: -network.linear.accuracy), failed


def build_backbone(name: str, data: ImageDataModule) -> Backbone:
    """A backbone with pretrained weights for the images of a dataset.

    Args:
        name: Name in timm or torchvision; `NAME=FILE` takes the weights from a file.
        data: The dataset.

    Raises:
        ValueError: If there is no such network, or the weights do not fit.
        ConnectionError: If the weights cannot be downloaded.
    """
    network, _, file = name.partition("=")
    weights = Path(file) if file else None
    if timm.is_model(network):
        return TimmBackbone(
            network,
            pretrained=weights is None,
            weights=weights,
            num_channels=data.num_channels,
            image_size=data.image_size,
        )
    return TorchvisionBackbone(
        network, pretrained=weights is None, weights=weights, num_channels=data.num_channels
    )


def probe_network(name: str, backbone: Backbone, data: ImageDataModule) -> ProbedNetwork:
    """Compute the features of the training and validation images, and classify by them."""
    backbone.to(device_named())
    splits = [split for split in SPLITS if split in data.sources]
    started = time.perf_counter()
    tables = {split: frozen_features(data, backbone, split) for split in splits}
    seconds = time.perf_counter() - started
    labels = {split: torch.from_numpy(data.sources[split].labels) for split in splits}
    rows = {
        split: (table.isfinite().all(dim=1) & (labels[split] >= 0)).nonzero().flatten()
        for split, table in tables.items()
    }
    copies = copy_groups(data.sources, rows)
    chosen = torch.cat([labels[split][rows[split]] for split in splits])
    features = torch.cat([tables[split][rows[split]] for split in splits])
    standardize = Standardize()
    standardize.measure(features)
    features = standardize(features)
    nearest = nearest_neighbour(features, chosen, copies)
    return ProbedNetwork(
        name.partition("=")[0],
        _score(fit_linear_probe(features, chosen, data.num_classes, copies).confusion),
        _score(confusion_counts(nearest, chosen, data.num_classes)),
        seconds,
        sum(parameter.numel() for parameter in backbone.parameters()),
        features.shape[1],
        len(chosen),
    )


def _score(confusion: Tensor) -> Score:
    ends = bootstrap_intervals(confusion).overall_accuracy.tolist()
    return Score(float(confusion.trace() / confusion.sum()), *ends)
