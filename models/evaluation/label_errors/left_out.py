"""What a linear head says of an image that it was not fitted to: every image in turn."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import nll_loss, one_hot

PENALTIES = tuple(10 ** (power / 2) for power in range(-6, 3))  # in mean variances of a component
TEMPERATURES = tuple(10 ** (power / 8) for power in range(-16, 9))
MAX_FEATURES = 2048  # more than that, and more images than that, would take minutes
MIN_LEFT = 1e-9  # of an image that the fit follows wherever it goes


def left_out_probabilities(
    features: Tensor, labels: Tensor, num_classes: int, groups: Tensor | None = None
) -> Tensor:
    """Probabilities of the classes from a ridge regression that was fitted to all other images.

    What the regression would predict for an image without having seen it follows from the fit to
    all of them (Allen, 1974; Rifkin and Lippert, 2007). So this is cross-validation with as many
    folds as images, at the price of one fit, and nothing is drawn. The penalty is the one with the
    smallest log loss of the labels, and so is the temperature that makes probabilities of scores.

    Args:
        features: (N, D); they should not know the labels themselves.
        labels: Given classes, (N,).
        num_classes: How many classes K there are.
        groups: What each image is a copy of, (N,): copies are left out together. None if each
            stands for itself.

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
        softened = tempered(scores, labels)
        loss = float(nll_loss(softened.clamp_min(MIN_LEFT).log(), labels))
        if loss < best:
            best, probabilities = loss, softened
    return probabilities.float()


def tempered(logits: Tensor, labels: Tensor) -> Tensor:
    """Probabilities at the temperature with the smallest log loss (Guo et al., 2017).

    Args:
        logits: Scores of the classes, (N, K).
        labels: Given classes, (N,).
    """
    scaled = [(logits / temperature).log_softmax(dim=1) for temperature in TEMPERATURES]
    return min(scaled, key=lambda logs: float(nll_loss(logs, labels))).exp()


def _standardised(features: Tensor) -> Tensor:
    """Features of mean 0 and variance 1; too many are projected to fewer, in random directions."""
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
        kept: How much of each coordinate the penalty leaves, (r,).
        targets: (N, K).
        together: Rows that are left out together.
    """
    mean, num_images = targets.mean(dim=0), len(targets)
    residuals = targets - mean - axes @ (kept[:, None] * (axes.T @ (targets - mean)))
    # The mean belongs to the fit: without its share, an image would be given away by the others.
    leverage = (axes.square() @ kept + 1 / num_images).clamp_max(1 - MIN_LEFT)
    left_out = targets - residuals / (1 - leverage)[:, None]
    for rows in together:
        influence = (axes[rows] * kept) @ axes[rows].T + 1 / num_images
        free = torch.eye(len(rows), dtype=axes.dtype) * (1 + MIN_LEFT) - influence
        left_out[rows] = targets[rows] - torch.linalg.solve(free, residuals[rows])
    return left_out


def _copies(groups: Tensor | None) -> Iterator[Tensor]:
    """The rows of each group of more than one image."""
    if groups is not None:
        _, members, sizes = groups.unique(return_inverse=True, return_counts=True)
        for group in (sizes > 1).nonzero().flatten():
            yield (members == group).nonzero().flatten()
