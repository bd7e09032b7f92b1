"""Leave-one-out cross-validation of a linear head: each image predicted from all others."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import nll_loss, one_hot

PENALTIES = tuple(10 ** (power / 2) for power in range(-6, 3))  # times the mean variance
TEMPERATURES = tuple(10 ** (power / 8) for power in range(-16, 9))
MAX_FEATURES = 2048  # with more features, and more images, a fit would take minutes
MIN_LEFT = 1e-9  # lower bound of what is divided by


def leave_one_out_probabilities(
    features: Tensor, labels: Tensor, num_classes: int, groups: Tensor | None = None
) -> Tensor:
    """Probabilities of the classes from a ridge regression that was fitted to all other images.

    The prediction for an image that was left out follows from the fit to all images (Allen, 1974;
    Rifkin and Lippert, 2007). So this is cross-validation with as many folds as images, for the
    cost of one fit and without random numbers. The penalty is chosen by the log loss of the labels,
    and so is the temperature that turns scores into probabilities.

    Args:
        features: (N, D), of a network that was not trained on these labels.
        labels: Labels in the dataset, (N,).
        num_classes: Number of classes K.
        groups: A number for each image, (N,), equal for copies of one original: these are left out
            together. None if there are no copies.

    Returns:
        (N, K), float32.
    """
    targets = one_hot(labels, num_classes).double()
    together = list(_copies(groups))
    best, probabilities = torch.inf, targets
    axes, variances = _principal_axes(_standardised(features))
    for penalty in PENALTIES:
        kept = variances / (variances + penalty * variances.mean().clamp_min(MIN_LEFT))
        scores = _left_out(axes, kept, targets, together)
        scaled = temperature_scaled(scores, labels)
        loss = float(nll_loss(scaled.clamp_min(MIN_LEFT).log(), labels))
        if loss < best:
            best, probabilities = loss, scaled
    return probabilities.float()


def temperature_scaled(logits: Tensor, labels: Tensor) -> Tensor:
    """Probabilities at the temperature with the smallest log loss (Guo et al., 2017).

    Args:
        logits: Scores of the classes, (N, K).
        labels: Labels in the dataset, (N,).
    """

    def loss(temperature: float) -> float:
        return float(nll_loss((logits / temperature).log_softmax(dim=1), labels))

    # Computed again for the best one: to keep all would take 25 times the memory.
    return (logits / min(TEMPERATURES, key=loss)).softmax(dim=1)


def _standardised(features: Tensor) -> Tensor:
    """Features of mean 0 and variance 1; more than `MAX_FEATURES` are projected at random."""
    centred = features.double() - features.double().mean(dim=0)
    scaled = centred / centred.std(dim=0, correction=0).clamp_min(MIN_LEFT)
    if min(scaled.shape) <= MAX_FEATURES:
        return scaled
    draws = torch.Generator().manual_seed(0)
    return scaled @ torch.randn(scaled.shape[1], MAX_FEATURES, generator=draws).double()


def _principal_axes(features: Tensor) -> tuple[Tensor, Tensor]:
    """Orthonormal coordinates of the images, (N, r), and the variance along each, (r,)."""
    num_images, num_features = features.shape
    if num_images <= num_features:
        values, axes = torch.linalg.eigh(features @ features.T)
        return axes, values.clamp_min(0)
    values, directions = torch.linalg.eigh(features.T @ features)
    values = values.clamp_min(0)
    return features @ directions / values.sqrt().clamp_min(MIN_LEFT), values


def _left_out(axes: Tensor, kept: Tensor, targets: Tensor, together: list[Tensor]) -> Tensor:
    """Predictions (N, K) for each image by the regression without it.

    Args:
        axes: Coordinates of the images, (N, r).
        kept: Factor by which the penalty shrinks each coordinate, (r,), in [0, 1].
        targets: (N, K).
        together: Rows that are left out together.
    """
    mean, num_images = targets.mean(dim=0), len(targets)
    residuals = targets - mean - axes @ (kept[:, None] * (axes.T @ (targets - mean)))
    # The mean is fitted too. Without its share, the others would reveal the label of an image.
    leverage = (axes.square() @ kept + 1 / num_images).clamp_max(1 - MIN_LEFT)
    predictions = targets - residuals / (1 - leverage)[:, None]
    for rows in together:
        influence = (axes[rows] * kept) @ axes[rows].T + 1 / num_images
        free = torch.eye(len(rows), dtype=axes.dtype) * (1 + MIN_LEFT) - influence
        predictions[rows] = targets[rows] - torch.linalg.solve(free, residuals[rows])
    return predictions


def _copies(groups: Tensor | None) -> Iterator[Tensor]:
    """Rows of each group of two or more images."""
    if groups is not None:
        _, members, sizes = groups.unique(return_inverse=True, return_counts=True)
        for group in (sizes > 1).nonzero().flatten():
            yield (members == group).nonzero().flatten()
