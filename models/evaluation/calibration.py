"""How far a network's confidence can be believed."""

from typing import NamedTuple

import torch
from torch import Tensor

NUM_BINS = 15  # as in Guo et al., 2017
CHUNK = 8192  # images whose probabilities are in memory at once: there may be thousands of classes


class Judged(NamedTuple):
    """What the network said of each image, (N,) each.

    Attributes:
        confidence: Softmax probability of the predicted class, float64. In float32 those of a sure
            network would all be 1, and none surer than another.
        correct: Whether the prediction is right.
        brier: Squared distance from the probabilities to the truth, in [0, 2] (Brier, 1950); its
            mean is the Brier score.
    """

    confidence: Tensor
    correct: Tensor
    brier: Tensor


class Bins(NamedTuple):
    """Images by their confidence, (B,) each; a bin without images holds NaN.

    Attributes:
        num_images: How many there are, int64.
        confidence: Their mean confidence.
        accuracy: Share of them that are classified right.
        spread: Standard deviation that chance alone would give the accuracy if each image were
            right with the probability that its confidence states.
    """

    num_images: Tensor
    confidence: Tensor
    accuracy: Tensor
    spread: Tensor


def judge(logits: Tensor, labels: Tensor) -> Judged:
    """Confidences of the predictions for logits (N, K), and whether labels (N,) agree."""
    parts = []
    for part, true in zip(logits.split(CHUNK), labels.split(CHUNK), strict=True):
        probabilities = part.double().softmax(dim=1)
        confidence, predicted = probabilities.max(dim=1)
        of_truth = probabilities.gather(1, true[:, None])[:, 0]
        brier = probabilities.square().sum(dim=1) - 2 * of_truth + 1
        parts.append((confidence, predicted == true, brier))
    return Judged(*map(torch.cat, zip(*parts, strict=True)))


def reliability(judged: Judged, num_bins: int = NUM_BINS, equal_mass: bool = False) -> Bins:
    """Sort images into bins of confidence.

    Args:
        judged: See `judge`.
        num_bins: How many bins B there are.
        equal_mass: Whether the bins hold equally many images instead of being equally wide. Equal
            widths put nearly all images of a good network into the last bin.
    """
    confidence, correct = judged.confidence, judged.correct.double()
    place = confidence * num_bins
    if equal_mass:
        place = confidence.argsort().argsort() * num_bins / len(confidence)
    index = place.long().clamp(max=num_bins - 1)  # a confidence of 1 belongs to the last bin

    def total(values: Tensor) -> Tensor:
        return index.bincount(values, minlength=num_bins)

    num_images = index.bincount(minlength=num_bins)
    spread = total(confidence * (1 - confidence)).sqrt()
    sums = (total(confidence), total(correct), spread)
    return Bins(num_images, *(values / num_images for values in sums))


def calibration_error(bins: Bins) -> float:
    """Expected calibration error (Naeini et al., 2015): mean `|confidence - accuracy|`, in [0, 1].

    Few images have an error by chance: see `chance_error`.
    """
    gap = (bins.confidence - bins.accuracy).abs().nan_to_num()
    return float((gap * bins.num_images).sum() / bins.num_images.sum())


def chance_error(bins: Bins) -> float:
    """About the calibration error that a perfectly calibrated network would show here.

    The accuracy of a bin then varies about its confidence like a normal distribution, whose mean
    distance from its mean is sqrt(2 / pi) standard deviations.
    """
    gap = (2 / torch.pi) ** 0.5 * bins.spread.nan_to_num()
    return float((gap * bins.num_images).sum() / bins.num_images.sum())


def risk_coverage(judged: Judged) -> Tensor:
    """Share of errors among the k surest images, for k = 1 … N, (N,).

    Images of equal confidence are in no order: their errors count as spread evenly over them.
    """
    confidence, order = judged.confidence.sort(descending=True)
    errors = (~judged.correct[order]).double()
    _, group, size = confidence.unique_consecutive(return_inverse=True, return_counts=True)
    share = group.bincount(errors) / size
    return share[group].cumsum(0) / torch.arange(1, len(order) + 1)
