"""Rotated features: coordinates of images along the principal axes of their features."""

import torch
from torch import Tensor

from models.evaluation.label_errors.feature_rows import CHUNK, FeatureRows

MAX_FEATURES = 2048  # with more features, and more images, a fit would take minutes
MIN_SPREAD = 1e-9  # lower bound of what is divided by


class RotatedFeatures:
    """Features of mean 0 and variance 1, rotated to their principal axes.

    If there are more images than features, two passes over the features find the axes, and
    coordinates are computed in float32 when they are asked for. Otherwise all are kept, in float64.
    More than `MAX_FEATURES` features of as many images are projected at random before.

    Args:
        features: Those of N images.
        labels: Labels of the images, (N,).
        num_classes: Number of classes K.

    Attributes:
        variances: Sum of the squares of the coordinates along each axis, (r,), float64.
        class_sums: Sum of the coordinates of the images of each class, (K, r), float64.
    """

    def __init__(self, features: FeatureRows, labels: Tensor, num_classes: int) -> None:
        self._features = features
        self._kept: Tensor | None = None
        rows = torch.arange(len(features)).split(max(1, CHUNK // features.width))
        sums = self._standardise(rows, labels, num_classes)
        if len(features) <= min(features.width, MAX_FEATURES):
            self._keep(labels, num_classes)
            return
        self._rotation = _projection(features.width)
        products = torch.zeros(1, dtype=torch.float64)
        for part in rows:
            projected = self.coordinates(part)
            products = products + projected.T @ projected
        values, directions = torch.linalg.eigh(products)
        self.variances = values.clamp_min(0)
        projected = directions if self._rotation is None else self._rotation.double() @ directions
        self._rotation = projected.float()
        self.class_sums = sums @ self._rotation.double()

    def coordinates(self, rows: Tensor) -> Tensor:
        """Coordinates of these images, (n, r)."""
        if self._kept is not None:
            return self._kept[rows]
        found = self._features.read(rows)
        found.sub_(self._mean.float()).div_(self._spread.float())
        return found if self._rotation is None else found @ self._rotation

    def _standardise(self, rows: tuple[Tensor, ...], labels: Tensor, num_classes: int) -> Tensor:
        """Find mean and spread; the sums of the standardised features of each class, (K, D)."""
        width = self._features.width
        sums = torch.zeros(num_classes, width, dtype=torch.float64)
        squares = torch.zeros(width, dtype=torch.float64)
        origin = self._features.read(torch.zeros(1, dtype=torch.int64))[0].double()
        for part in rows:  # away from a far mean, the difference of large squares would be inexact
            moved = self._features.read(part).double() - origin
            sums.index_add_(0, labels[part], moved)
            squares += moved.square().sum(dim=0)
        number, counts = len(self._features), labels.bincount(minlength=num_classes)
        mean = sums.sum(dim=0) / number
        spread = (squares / number - mean.square()).clamp_min(0).sqrt().clamp_min(MIN_SPREAD)
        self._mean, self._spread = origin + mean, spread
        return (sums - counts[:, None] * mean) / spread

    def _keep(self, labels: Tensor, num_classes: int) -> None:
        """Keep the coordinates of a few images, from the products of their features."""
        found = self._features.read(torch.arange(len(self._features))).double()
        found = (found - self._mean) / self._spread
        values, axes = torch.linalg.eigh(found @ found.T)
        self.variances = values.clamp_min(0)
        self._kept = kept = axes * self.variances.sqrt()
        self.class_sums = kept.new_zeros(num_classes, len(kept)).index_add_(0, labels, kept)


def _projection(width: int) -> Tensor | None:
    """Random directions to project many features on, (D, P); None for few."""
    if width <= MAX_FEATURES:
        return None
    return torch.randn(width, MAX_FEATURES, generator=torch.Generator().manual_seed(0))
