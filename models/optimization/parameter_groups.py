"""Parameter groups of the optimizer, and their learning rates."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch.nn import Parameter
from torch.optim import Optimizer

NO_DECAY = "/no_decay"  # ends the name of a group without weight decay


def group_parameters(
    stages: Mapping[str, Iterable[Parameter]], decay_all: bool
) -> list[dict[str, Any]]:
    """One named optimizer group per stage, and one for its parameters without weight decay.

    The latter are the one-dimensional parameters: biases, and the scales of norms.

    Args:
        stages: Parameters of each stage, from the input to the output.
        decay_all: Whether the optimizer's weight decay applies to all parameters.
    """
    groups: list[dict[str, Any]] = []
    for stage, parameters in stages.items():
        listed = list(parameters)
        groups += [
            {"name": stage, "params": [p for p in listed if decay_all or p.ndim > 1]},
            {
                "name": f"{stage}{NO_DECAY}",
                "params": [p for p in listed if not (decay_all or p.ndim > 1)],
                "weight_decay": 0.0,
            },
        ]
    return [group for group in groups if group["params"]]


def stage_of(group: Mapping[str, Any]) -> str:
    """Name of the stage that an optimizer group belongs to."""
    return group["name"].removesuffix(NO_DECAY)


def rates_of(optimizer: Optimizer) -> dict[str, float]:
    """Learning rate of each stage."""
    return {stage_of(group): group["lr"] for group in optimizer.param_groups}


def training_stages(optimizer: Optimizer) -> set[str]:
    """The stages of which something trains."""
    return {
        stage_of(group)
        for group in optimizer.param_groups
        if any(parameter.requires_grad for parameter in group["params"])
    }


@contextmanager
def scaled_rates(optimizer: Optimizer, factor: float) -> Iterator[None]:
    """Multiply all learning rates within a `with` block; schedulers do not notice."""
    rates = [group["lr"] for group in optimizer.param_groups]
    try:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        yield
    finally:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
