"""Parameter budget: scale the widths of a network to a number of parameters."""

from collections.abc import Callable
from math import isfinite

import torch
from torch import nn

SMALLEST = 1e-9  # scale at which every width is 1
STEPS = 40  # bisections, after which no width changes any more


def count_parameters(network: nn.Module) -> int:
    """Number of parameters of a network, without buffers such as running statistics."""
    return sum(parameter.numel() for parameter in network.parameters())


def scaled(widths: tuple[int, ...], scale: float) -> tuple[int, ...]:
    """Each width times `scale`, rounded, and at least 1."""
    return tuple(max(1, round(width * scale)) for width in widths)


def scale_for_budget(build: Callable[[float], nn.Module], budget: float) -> float:
    """Find the scale at which a network comes closest to a number of parameters.

    The networks are built on the meta device, without memory or random numbers for weights.

    Args:
        build: Builds the network with all its widths `scaled` by a number; a larger number must not
            give a smaller network.
        budget: Number of parameters.

    Returns:
        The scale. It depends on the arguments alone, so that a checkpoint builds the same network.

    Raises:
        ValueError: If even the smallest network has more parameters.
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
