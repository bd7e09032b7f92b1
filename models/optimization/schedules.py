"""Learning-rate schedules that run once over the training, however long it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


class Schedule(ABC):
    """The learning rate as a function of how much of the training is done.

    Unlike the schedulers of torch it is not told how long the training is, and changes the rate at
    every step.
    """

    @abstractmethod
    def factor(self, progress: float) -> float:
        """Share of the full rate; `progress` goes from 0 to 1."""


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Half a cosine from the full rate down (Loshchilov and Hutter, 2017).

    Attributes:
        final: Share of the full rate that is left at the end, in [0, 1].
    """

    final: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a rate that would rise, or turn negative."""
        _check_final(self.final)

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        return self.final + (1 - self.final) * (1 + cos(pi * progress)) / 2


@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """A power of what is left of the training: a straight line down for 1.

    Attributes:
        power: How fast the rate falls in the beginning, above 0.
        final: Share of the full rate that is left at the end, in [0, 1].
    """

    power: float = 1.0
    final: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a rate that would rise, or turn negative."""
        _check_final(self.final)
        if not self.power > 0:
            raise ValueError(f"Expected a power above 0, got {self.power:g}.")

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        return self.final + (1 - self.final) * (1 - progress) ** self.power


def scheduler_of(
    schedule: Schedule, optimizer: Optimizer, num_steps: Callable[[], float]
) -> LambdaLR:
    """A scheduler of torch that follows a schedule; its state is the number of the step.

    Args:
        schedule: What to follow.
        optimizer: Whose rates to change.
        num_steps: Steps of the whole training; not asked before the first one was made, for the
            training data are not loaded until then.
    """

    def factor(step: int) -> float:
        return schedule.factor(min(step / num_steps(), 1.0) if step else 0.0)

    return LambdaLR(optimizer, factor)


def _check_final(final: float) -> None:
    if not 0 <= final <= 1:
        raise ValueError(f"Expected final in [0, 1], got {final:g}.")
