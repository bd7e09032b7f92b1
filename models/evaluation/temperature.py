"""Temperature scaling: one number that makes the confidence of a network calibrated."""

from math import exp, log
from typing import Any

from scipy.optimize import brentq
from torch import Tensor

from models.evaluation.predictions import images_at_once

TEMPERATURES = (0.01, 100.0)  # range of a fit


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Temperature scaling (Guo et al., 2017): the T that makes the labels most likely.

    The negative log-likelihood of softmax(logits / T) is convex in 1 / T, so that its slope has one
    root at most. Where it has none, T is an end of `TEMPERATURES`: the lower one if all images are
    classified correctly, the upper one if constant logits would do better. It is 1 if the logits of
    an image are all equal.

    Args:
        logits: (N, K), of images that the network was not trained on.
        labels: True classes, (N,).
    """

    def slope(log_sharpness: float) -> float:
        return _slope(logits, labels, exp(log_sharpness))

    coldest, hottest = (-log(temperature) for temperature in TEMPERATURES)
    at_coldest, at_hottest = slope(coldest), slope(hottest)
    if at_coldest == at_hottest:
        return 1.0
    if at_coldest <= 0 or at_hottest >= 0:
        return TEMPERATURES[0] if at_coldest <= 0 else TEMPERATURES[1]
    root: Any = brentq(slope, hottest, coldest, xtol=1e-5)
    return exp(-root)


def scale_by_halves(logits: Tensor, labels: Tensor) -> tuple[Tensor, tuple[float, float]]:
    """Divide logits by temperatures, each of which was fitted on other images.

    The images of each class are split into halves. Each half is scaled by the temperature that was
    fitted on the other one.

    Args:
        logits: (N, K), N >= 2.
        labels: True classes, (N,).

    Returns:
        Scaled logits, (N, K), and the temperatures that were fitted on the two halves.
    """
    order = labels.argsort(stable=True)
    first, second = order[::2], order[1::2]
    of_first, of_second = (fit_temperature(logits[half], labels[half]) for half in (first, second))
    scaled = logits.clone()
    scaled[second] /= of_first
    scaled[first] /= of_second
    return scaled, (of_first, of_second)


def _slope(logits: Tensor, labels: Tensor, sharpness: float) -> float:
    """Derivative of the negative log-likelihood by 1 / T: expected minus true logit, summed."""
    total = 0.0
    size = images_at_once(logits)
    for part, true in zip(logits.split(size), labels.split(size), strict=True):
        shifted = part - part.amax(dim=1, keepdim=True)
        expected = ((shifted * sharpness).softmax(dim=1) * shifted).sum(dim=1)
        total += float((expected - shifted.gather(1, true[:, None])[:, 0]).double().sum())
    return total
