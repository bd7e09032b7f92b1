"""Learning-rate range test (Smith, 2017): the loss while the learning rate rises."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import NamedTuple

import numpy as np
from torch import Tensor

from models.classifier import ImageClassifier
from models.randomness import reseed

SMOOTHING = 0.95  # of the losses of the batches, which vary
DIVERGED = 4.0  # multiple of the lowest loss at which the test ends
NOISY = 10  # first steps, whose smoothed loss is a mean of too few


class RangeTest(NamedTuple):
    """Tried learning rates of the fastest group, rising, (n,), and smoothed losses, (n,)."""

    rates: np.ndarray
    losses: np.ndarray

    def suggestion(self) -> float | None:
        """Rate at which the loss falls fastest over the logarithm of the rate.

        None if it never falls, or diverges at once.
        """
        if len(self.rates) <= NOISY + 1:
            return None
        slopes = np.gradient(self.losses, np.log(self.rates))[NOISY:]
        steepest = int(slopes.argmin())
        return float(self.rates[NOISY + steepest]) if slopes[steepest] < 0 else None


def range_test(
    classifier: ImageClassifier,
    batches: Iterable[tuple[Tensor, Tensor]],
    rates: np.ndarray,
    seed: int = 0,
) -> RangeTest:
    """Train a copy of the classifier for one step at each rate.

    The ratios between the rates of the optimizer's groups stay the same.

    Args:
        classifier: The classifier, whose loss has been built.
        batches: Images in [0, 1] and labels on the classifier's device, as many as there are rates.
        rates: Rates of the fastest group, rising, (n,).
        seed: Seed of dropout.

    Returns:
        The rates up to the one at which the loss diverged, with their losses.
    """
    losses = list(_smoothed_losses(deepcopy(classifier), batches, rates, seed))
    return RangeTest(rates[: len(losses)], np.array(losses))


def _smoothed_losses(
    network: ImageClassifier,
    batches: Iterable[tuple[Tensor, Tensor]],
    rates: np.ndarray,
    seed: int,
) -> Iterator[float]:
    groups = network.parameter_groups()
    optimizer = network.optimization.build_optimizer(network.make_optimizer, groups)
    fastest = max(group["lr"] for group in optimizer.param_groups)
    ratios = [group["lr"] / fastest for group in optimizer.param_groups]
    mean, lowest = 0.0, float("inf")
    for step, ((images, labels), rate) in enumerate(zip(batches, rates, strict=False)):
        reseed(images.device, seed, step)
        for group, ratio in zip(optimizer.param_groups, ratios, strict=True):
            group["lr"] = float(rate) * ratio
        loss = network.loss(network(images), labels)
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss.item()
        smoothed = mean / (1 - SMOOTHING ** (step + 1))
        lowest = min(lowest, smoothed)
        if not smoothed <= DIVERGED * lowest:  # also if it is NaN
            return
        yield smoothed
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
