"""How the optimizer sees the network: groups of parameters, and the rate of each."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch.nn import Parameter
from torch.optim import Optimizer

NO_DECAY = "/no_decay"  # ends the name of a group without weight decay


def group_parameters(
    stages: Mapping[str, Iterable[Parameter]], decay_all: bool
) -> list[dict[str, Any]]:
    """One named optimizer group a stage, and one for its parameters without weight decay.

    Those are the parameters of one dimension: biases, and the scales of norms.

    Args:
        stages: Parameters of each stage, from the input to the output.
        decay_all: Whether the optimizer's weight decay holds for all of them.
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
    """The stage that an optimizer group belongs to."""
    return group["name"].removesuffix(NO_DECAY)


def rates_of(optimizer: Optimizer) -> dict[str, float]:
    """Learning rate of each stage."""
    return {stage_of(group): group["lr"] for group in optimizer.param_groups}


@contextmanager
def scaled_rates(optimizer: Optimizer, factor: float) -> Iterator[None]:
    """Multiply all rates while the optimizer steps; a scheduler never sees it."""
    rates = [group["lr"] for group in optimizer.param_groups]
    try:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        yield
    finally:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
