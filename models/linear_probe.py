"""Linear probe: multinomial logistic regression on the features of a frozen network."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from models.evaluation.confusion import confusion_counts

# Penalties per image, from strong to weak: each fit starts from the one before it. They are tried
# until the log loss of images that were left out rises.
PENALTIES = tuple(10 ** (-power / 2) for power in range(7))
NUM_FOLDS = 5
MAX_IMAGES = 5000  # with more, and many features and classes, it would take many minutes
MAX_ITERATIONS = 100  # of L-BFGS, for each penalty
ROUGH, FINE = 1e-4, 1e-6  # tolerances of the gradient, in cross-validation and of the result


class LinearProbe(NamedTuple):
    """Weights of a logistic regression, and what its cross-validation found.

    Attributes:
        weight: (K, D).
        bias: (K,).
        penalty: The penalty with the lowest log loss.
        confusion: Labels and predictions of all images, each predicted by a fit without it, at that
            penalty, (K, K).
    """

    weight: Tensor
    bias: Tensor
    penalty: float
    confusion: Tensor

    @property
    def accuracy(self) -> float:
        """Share of the images that fits without them classify correctly."""
        return float(self.confusion.trace() / self.confusion.sum())


def fit_linear_probe(
    features: Tensor, labels: Tensor, num_classes: int, groups: Tensor | None = None
) -> LinearProbe:
    """Fit a logistic regression, with the penalty that predicts left-out images best.

    It minimises the mean cross-entropy plus penalty / 2 times the sum of the squared weights; the
    biases are free. In scikit-learn's terms, penalty = 1 / (C N). Of more than `MAX_IMAGES` images,
    so many are drawn.

    Args:
        features: Standardised, (N, D).
        labels: (N,).
        num_classes: Number of classes K.
        groups: A number for each image, (N,), equal for copies of one original, which are left out
            together. None if there are no copies.
    """
    if len(labels) > MAX_IMAGES:
        drawn = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))[:MAX_IMAGES]
        features, labels = features[drawn], labels[drawn]
        groups = None if groups is None else groups[drawn]
    rotated, axes = _rotated(features.double())
    folds = _folds(labels, groups).to(labels.device)
    paths = [
        _path(rotated[folds != k], labels[folds != k], num_classes, ROUGH) for k in folds.unique()
    ]
    lowest, penalty, confusion = torch.inf, PENALTIES[0], labels.new_zeros(0)
    for tried, solutions in zip(PENALTIES, zip(*paths, strict=True), strict=False):
        logits = rotated.new_empty(len(labels), num_classes)
        for fold, (weight, bias) in zip(folds.unique(), solutions, strict=True):
            logits[folds == fold] = rotated[folds == fold] @ weight.T + bias
        if (loss := float(cross_entropy(logits, labels))) >= lowest:
            break
        lowest, penalty = loss, tried
        confusion = confusion_counts(logits.argmax(dim=1), labels, num_classes)
    path = _path(rotated, labels, num_classes, FINE)
    weight, bias = next(islice(path, PENALTIES.index(penalty), None))
    return LinearProbe((weight @ axes.T).float(), bias.float(), penalty, confusion)


def _rotated(features: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates (N, r) of the images on orthonormal axes (D, r) that contain them all.

    With fewer images than features this is smaller, and the solution is the same: a direction
    without images has no weight.
    """
    if len(features) >= features.shape[1]:
        return features, torch.eye(features.shape[1], dtype=features.dtype, device=features.device)
    axes, _ = torch.linalg.qr(features.T)
    return features @ axes, axes


def _folds(labels: Tensor, groups: Tensor | None) -> Tensor:
    """Fold of each image, (N,): those of one class are spread evenly, a group stays together."""
    _, units = (torch.arange(len(labels)) if groups is None else groups.cpu()).unique(
        return_inverse=True
    )
    num_units = int(units.max()) + 1
    of_unit = torch.zeros(num_units, dtype=torch.int64).scatter_(0, units, labels.cpu())
    drawn = torch.randperm(num_units, generator=torch.Generator().manual_seed(0))
    order = drawn[of_unit[drawn].argsort(stable=True)]
    folds = torch.empty(num_units, dtype=torch.int64)
    folds[order] = torch.arange(num_units) % NUM_FOLDS
    return folds[units]


def _path(
    features: Tensor, labels: Tensor, num_classes: int, tolerance: float
) -> Iterator[tuple[Tensor, Tensor]]:
    """Weight and bias for each of `PENALTIES`, each found from the one before."""
    weight = features.new_zeros(num_classes, features.shape[1], requires_grad=True)
    bias = features.new_zeros(num_classes, requires_grad=True)
    for penalty in PENALTIES:

        def loss(penalty: float = penalty) -> Tensor:
            data = cross_entropy(features @ weight.T + bias, labels)
            return data + penalty / 2 * weight.square().sum()

        _minimise(loss, [weight, bias], tolerance)
        yield weight.detach().clone(), bias.detach().clone()


@torch.enable_grad()
def _minimise(loss: Callable[[], Tensor], parameters: list[Tensor], tolerance: float) -> None:
    optimizer = torch.optim.LBFGS(
        parameters,
        max_iter=MAX_ITERATIONS,
        tolerance_grad=tolerance,
        tolerance_change=0.0,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)  # pyright: ignore[reportArgumentType]
