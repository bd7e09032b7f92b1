"""Leave-one-out cross-validation of a linear head: each image predicted from all others."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import nll_loss, one_hot

from models.evaluation.label_errors.feature_rows import CHUNK, FeatureRows
from models.evaluation.label_errors.rotated_features import RotatedFeatures

PENALTIES = tuple(10 ** (power / 2) for power in range(-6, 3))  # times the mean variance
TEMPERATURES = tuple(10 ** (power / 8) for power in range(-16, 9))
MOST_COMPARED = 2**24  # scores by which penalty and temperature are chosen: half a minute
MIN_LEFT = 1e-9  # lower bound of what is divided by


class LeaveOneOut:
    """Probabilities of the classes from a ridge regression that was fitted to all other images.

    The prediction for an image that was left out follows from the fit to all images (Allen, 1974;
    Rifkin and Lippert, 2007). So this is cross-validation with as many folds as images, for the
    cost of one fit. The penalty is chosen by the log loss of the labels, and so is the temperature
    that turns scores into probabilities. If images times classes exceed `MOST_COMPARED`, both are
    chosen by fewer images, evenly spread: 16,777 of 1,000 classes.

    Iterating computes the probabilities again each time, chunk by chunk: rows (n,), and the
    probabilities of these images, (n, K), float32. Every image is in one chunk. Neither features
    nor probabilities of all images are in memory.

    Args:
        features: Features of N images, (N, D), of a network that was not trained on these labels.
        labels: Labels in the dataset, (N,).
        num_classes: Number of classes K.
        groups: A number for each image, (N,), equal for copies of one original: these are left out
            together. None if there are no copies.
    """

    def __init__(
        self,
        features: FeatureRows,
        labels: Tensor,
        num_classes: int,
        groups: Tensor | None = None,
    ) -> None:
        self._axes = RotatedFeatures(features, labels, num_classes)
        self._labels, self._num_classes = labels, num_classes
        self._shares = labels.bincount(minlength=num_classes) / len(labels)
        self._order, self._units = _units(groups, len(labels))
        widest = max(features.width, len(self._axes.variances), num_classes)
        self._most = max(1, CHUNK // widest)  # rows of a chunk
        self._penalty, self._temperature = self._choose()

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for rows, units in self._chunks():
            scores = next(self._left_out(rows, units, (self._penalty,)))
            yield rows, (scores / self._temperature).softmax(dim=1).float()

    def table(self) -> Tensor:
        """The probabilities of all images, (N, K)."""
        found = torch.empty(len(self._labels), self._num_classes)
        for rows, probabilities in self:
            found[rows] = probabilities
        return found

    def _choose(self) -> tuple[float, float]:
        """The penalty and the temperature with the smallest log loss."""
        plain = torch.zeros(len(PENALTIES), len(TEMPERATURES), dtype=torch.float64)
        bounded = plain.clone()  # one image must not choose the penalty
        step = -(-len(self._labels) * self._num_classes // MOST_COMPARED)
        for rows, units in self._chunks(step):
            own = self._labels[rows][:, None]
            for row, scores in enumerate(self._left_out(rows, units, PENALTIES)):
                for column, temperature in enumerate(TEMPERATURES):
                    scaled = scores / temperature
                    loss = (scaled.logsumexp(dim=1) - scaled.gather(1, own)[:, 0]).double()
                    plain[row, column] += loss.sum()
                    bounded[row, column] += (-(-loss).exp().clamp_min(MIN_LEFT).log()).sum()
        columns = plain.argmin(dim=1)
        row = int(bounded.gather(1, columns[:, None]).argmin())
        return PENALTIES[row], TEMPERATURES[int(columns[row])]

    def _chunks(self, step: int = 1) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows of images and the numbers of their units, of which none is cut."""
        order, units = self._order, self._units
        if step > 1:
            chosen = units % step == 0
            order, units = order[chosen], units[chosen]
        begin = 0
        while begin < len(order):
            last = units[min(begin + self._most, len(order)) - 1]
            end = int(torch.searchsorted(units, last, right=True))
            yield order[begin:end], units[begin:end]
            begin = end

    def _left_out(
        self, rows: Tensor, units: Tensor, penalties: tuple[float, ...]
    ) -> Iterator[Tensor]:
        """Predictions (n, K) for each image by the regression without its unit, per penalty."""
        coordinates = self._axes.coordinates(rows)
        targets = one_hot(self._labels[rows], self._num_classes).to(coordinates)
        mean, few = self._shares.to(coordinates), 1 / len(self._labels)
        together = list(_together(units))
        for penalty in penalties:
            variances = self._axes.variances
            shrunk = 1 / (variances + penalty * variances.mean().clamp_min(MIN_LEFT))
            weights = (shrunk[:, None] * self._axes.class_sums.T).to(coordinates)
            shrunk = shrunk.to(coordinates)
            residuals = targets - mean - coordinates @ weights
            # The mean is fitted too. Without its share, the others would reveal an image's label.
            left = 1 - coordinates.square() @ shrunk - few
            found = targets - residuals / left.clamp_min(_smallest(left))[:, None]
            for places in together:  # (units, images of each)
                own = coordinates[places]
                free = torch.eye(places.shape[1]).to(own) * (1 + _smallest(own)) - few
                free = free - (own * shrunk) @ own.mT
                found[places] = targets[places] - torch.linalg.solve(free, residuals[places])
            yield found


def temperature_scaled(logits: Tensor, labels: Tensor) -> Tensor:
    """Probabilities at the temperature with the smallest log loss (Guo et al., 2017).

    It is chosen by `MOST_COMPARED` logits, evenly spread, if there are more.

    Args:
        logits: Scores of the classes, (N, K).
        labels: Labels in the dataset, (N,).
    """
    size, step = max(1, CHUNK // logits.shape[1]), -(-logits.numel() // MOST_COMPARED)
    some, given = logits[::step], labels[::step]

    def loss(temperature: float) -> float:
        parts = zip(some.split(size), given.split(size), strict=True)
        return sum(
            float(nll_loss((part / temperature).log_softmax(dim=1), own, reduction="sum"))
            for part, own in parts
        )

    # Computed again for the best one: to keep all would take 25 times the memory.
    return (logits / min(TEMPERATURES, key=loss)).softmax(dim=1)


def _units(groups: Tensor | None, num_images: int) -> tuple[Tensor, Tensor]:
    """The images in an order in which those of a group are neighbours, and numbers of groups."""
    if groups is None:
        return torch.arange(num_images), torch.arange(num_images)
    order = groups.argsort(stable=True)
    return order, groups[order].unique_consecutive(return_inverse=True)[1]


def _together(units: Tensor) -> Iterator[Tensor]:
    """Places of the images of all units of two images, (units, 2), of three, and so on."""
    _, sizes = units.unique_consecutive(return_counts=True)
    starts = sizes.cumsum(0) - sizes
    for size in sizes.unique().tolist():
        if size > 1:
            yield starts[sizes == size][:, None] + torch.arange(size)


def _smallest(values: Tensor) -> float:
    return max(MIN_LEFT, torch.finfo(values.dtype).eps)
