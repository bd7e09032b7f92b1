"""Networks of a given size: how wide one has to be to have so many parameters."""

from collections.abc import Callable
from math import isfinite

import torch
from torch import nn

SMALLEST = 1e-9  # a scale at which every width is 1
STEPS = 40  # halves the interval to less than any width can tell


def count_parameters(network: nn.Module) -> int:
    """Parameters that a network can learn; the running statistics of a norm are none."""
    return sum(parameter.numel() for parameter in network.parameters())


def scaled(widths: tuple[int, ...], scale: float) -> tuple[int, ...]:
    """Each width times `scale`, rounded, 1 at least."""
    return tuple(max(1, round(width * scale)) for width in widths)


def scale_for_budget(build: Callable[[float], nn.Module], budget: float) -> float:
    """Find the scale at which a network comes closest to a number of parameters.

    No weights are made or drawn: the networks are built on the meta device.

    Args:
        build: Makes the network, all its widths `scaled` by a number; a larger number never makes
            a smaller network.
        budget: Parameters of the network.

    Returns:
        The scale. It depends on nothing else, so the same network is built again for a checkpoint.

    Raises:
        ValueError: If even the smallest network has more.
    """

    def size(scale: float) -> int:
        with torch.device("meta"):
            return count_parameters(build(scale))

    low, high = SMALLEST, 1.0
    if not (isfinite(budget) and size(low) <= budget):
        raise ValueError(
            f"Expected a finite budget of {size(low):,} parameters or more, which the network has "
            f"where every width is 1, got {budget:,.0f}."
        )
    while size(high) <= budget:
        low, high = high, 2 * high
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if size(middle) <= budget else (low, middle)
    return min(low, high, key=lambda scale: abs(size(scale) - budget))
