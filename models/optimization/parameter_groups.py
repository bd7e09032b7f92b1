"""Parameter groups of the optimizer, and their learning rates."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch.nn import Parameter
from torch.optim import Optimizer

NO_DECAY = "/no_decay"  # ends the name of a group without weight decay
FIRST_STEP = "first_step"  # of a group: the step with which it started to train


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


def first_steps(optimizer: Optimizer, now: int) -> list[int]:
    """The step with which each group started to train; `now` for a frozen one.

    It is noted in the group, and so in checkpoints. Those of earlier versions lack it: then all
    that trains has trained from the beginning.

    Args:
        optimizer: Its groups.
        now: Number of the next step.
    """
    noted = any(FIRST_STEP in group for group in optimizer.param_groups)
    for group in optimizer.param_groups:
        if FIRST_STEP not in group and _trains(group):
            group[FIRST_STEP] = now if noted else 0
    return [group.get(FIRST_STEP, now) for group in optimizer.param_groups]


def training_stages(optimizer: Optimizer) -> set[str]:
    """The stages of which something trains."""
    return {stage_of(group) for group in optimizer.param_groups if _trains(group)}


def _trains(group: Mapping[str, Any]) -> bool:
    return any(parameter.requires_grad for parameter in group["params"])


@contextmanager
def scaled_rates(optimizer: Optimizer, factors: Sequence[float]) -> Iterator[None]:
    """Multiply the rate of each group within a `with` block; schedulers do not notice."""
    rates = [group["lr"] for group in optimizer.param_groups]
    try:
        for group, rate, factor in zip(optimizer.param_groups, rates, factors, strict=True):
            group["lr"] = rate * factor
        yield
    finally:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
