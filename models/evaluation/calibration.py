"""Calibration: how well the confidence of a network agrees with its accuracy."""

from typing import NamedTuple

import torch
from torch import Tensor

from models.evaluation.predictions import Predictions, in_chunks

NUM_BINS = 15  # as in Guo et al., 2017


class Bins(NamedTuple):
    """Images in bins of confidence, (B,) each; NaN where a bin has no image.

    Attributes:
        num_images: Number of images, int64.
        confidence: Their mean confidence.
        accuracy: Share of them that is classified correctly.
        spread: Standard deviation of that accuracy by chance, if each image were classified
            correctly with the probability that its confidence states.
    """

    num_images: Tensor
    confidence: Tensor
    accuracy: Tensor
    spread: Tensor


def reliability(
    confidence: Tensor, correct: Tensor, num_bins: int = NUM_BINS, equal_mass: bool = False
) -> Bins:
    """Sort images into bins of confidence.

    Args:
        confidence: Probability of each prediction, (N,), float64 in [0, 1].
        correct: Whether each prediction is correct, (N,).
        num_bins: Number of bins B.
        equal_mass: Whether the bins hold equally many images instead of being equally wide. Equal
            widths put nearly all images of a good network into the last bin.
    """
    place = confidence * num_bins
    if equal_mass:
        place = confidence.argsort().argsort() * num_bins / len(confidence)
    index = place.long().clamp(max=num_bins - 1)  # a confidence of 1 belongs to the last bin

    def total(values: Tensor) -> Tensor:
        return index.bincount(values, minlength=num_bins)

    num_images = index.bincount(minlength=num_bins)
    spread = total(confidence * (1 - confidence)).sqrt()
    sums = (total(confidence), total(correct.double()), spread)
    return Bins(num_images, *(values / num_images for values in sums))


def calibration_error(bins: Bins) -> float:
    """Expected calibration error (Naeini et al., 2015): mean `|confidence - accuracy|`, in [0, 1].

    It is above 0 by chance if there are few images; see `chance_error`.
    """
    gap = (bins.confidence - bins.accuracy).abs().nan_to_num()
    return float((gap * bins.num_images).sum() / bins.num_images.sum())


def chance_error(bins: Bins) -> float:
    """Approximate calibration error that a perfectly calibrated network would have here by chance.

    The accuracy of a bin then varies about its confidence like a normal distribution, whose mean
    absolute deviation is sqrt(2 / pi) standard deviations.
    """
    gap = (2 / torch.pi) ** 0.5 * bins.spread.nan_to_num()
    return float((gap * bins.num_images).sum() / bins.num_images.sum())


def risk_coverage(confidence: Tensor, correct: Tensor) -> Tensor:
    """Share of mistakes among the k most confident predictions, for k = 1 … N, (N,).

    Predictions of equal confidence have no order: their mistakes count as evenly spread over them.

    Args:
        confidence: Probability of each prediction, (N,).
        correct: Whether each prediction is correct, (N,).
    """
    confidence, order = confidence.sort(descending=True)
    mistakes = (~correct[order]).double()
    _, group, size = confidence.unique_consecutive(return_inverse=True, return_counts=True)
    share = group.bincount(mistakes) / size
    return share[group].cumsum(0) / torch.arange(1, len(order) + 1)


def brier_scores(predictions: Predictions) -> Tensor:
    """Squared distance of the probabilities from the label (Brier, 1950), (N,) in [0, 2].

    Args:
        predictions: Those of labelled images.
    """
    return in_chunks(_brier, predictions)


def _brier(logits: Tensor, labels: Tensor) -> Tensor:
    probabilities = logits.softmax(dim=1)
    of_label = probabilities.gather(1, labels[:, None])[:, 0]
    return probabilities.square().sum(dim=1) - 2 * of_label + 1
