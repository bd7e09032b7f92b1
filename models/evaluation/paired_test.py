"""Paired test of two networks on the same images: is their difference due to chance?"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.signal import convolve
from scipy.stats import binom, norm
from torch import Tensor

CONFIDENCE = 0.95


class PairedTest(NamedTuple):
    """Difference in accuracy, second minus first, its 95 % interval, and the p-value."""

    difference: float
    low: float
    high: float
    p_value: float


def paired_test(first: Tensor, second: Tensor) -> PairedTest:
    """Compare two networks, or two groups of seeds, image by image.

    The test is exact: without a difference, the two sides could be swapped for each image, so that
    the sum of the differences has a known distribution. For one network against another it is
    McNemar's exact test (1947). The interval adds one image for each side (Bonett and Price, 2012),
    so that it is valid for few images, too, and its width is never zero.

    Both account for the choice of the images, not for the seed of the training.

    Args:
        first: Whether the first networks classify each image correctly, (networks, N), boolean.
        second: The same for the second networks and the same images.

    Raises:
        ValueError: If there is no image, or the numbers of images differ.
    """
    if (
        first.ndim != 2
        or second.ndim != 2
        or first.shape[1] != second.shape[1]
        or not first.numel()
    ):
        raise ValueError(
            "Expected (networks, images) of the same images, one or more; got "
            f"{tuple(first.shape)} and {tuple(second.shape)}."
        )
    won = len(first) * second.long().sum(dim=0) - len(second) * first.long().sum(dim=0)
    scale = len(first) * len(second)
    mean = float(won.double().mean()) / scale
    padded = np.append(won.numpy() / scale, [1, -1])
    reach = float(norm.ppf((1 + CONFIDENCE) / 2)) * float(padded.std()) / math.sqrt(len(padded))
    low, high = float(padded.mean()) - reach, float(padded.mean()) + reach
    return PairedTest(mean, max(min(low, mean), -1), min(max(high, mean), 1), _p_value(won.numpy()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p-values of several tests (Holm, 1979).

    With a probability of at least 95 %, no adjusted p-value is below 0.05 by chance; of unadjusted
    ones, one in twenty is.
    """
    values = np.asarray(p_values, float)
    order = values.argsort()
    rising = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)).clip(max=1)
    return rising[order.argsort()].tolist()


def _p_value(won: np.ndarray) -> float:
    """Share of all ways to swap the two sides, image by image, whose sum is as far from zero.

    Images with equal differences are coin tosses, so the distribution is a convolution of binomial
    ones.
    """
    won = won[won != 0]
    if not len(won):
        return 1.0
    won = won // np.gcd.reduce(won)
    chances, reach = np.ones(1), 0
    for size, count in zip(
        *(v.tolist() for v in np.unique(abs(won), return_counts=True)), strict=True
    ):
        tosses = np.zeros(2 * size * count + 1)
        tosses[:: 2 * size] = binom.pmf(np.arange(count + 1), count, 0.5)
        chances, reach = convolve(chances, tosses), reach + size * count
    sums = abs(np.arange(len(chances)) - reach)
    return min(1.0, float(chances[sums >= abs(won.sum())].sum()))
