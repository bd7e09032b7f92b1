"""Learning-rate schedules over the whole training, whatever its length."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, isinf, pi

from lightning.pytorch import Trainer
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


class Schedule(ABC):
    """Learning rate as a function of the progress of the training.

    Unlike torch's schedulers it does not need the number of steps, and changes the rate at every
    step.
    """

    @abstractmethod
    def factor(self, progress: float) -> float:
        """Factor of the full rate, in [0, 1]; `progress` goes from 0 to 1."""


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Cosine decay from the full rate (Loshchilov and Hutter, 2017).

    Attributes:
        final: Factor of the full rate at the end, in [0, 1].
    """

    final: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        _check_final(self.final)

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        return self.final + (1 - self.final) * (1 + cos(pi * progress)) / 2


@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """Polynomial decay: a power of the remaining share of the training, linear for 1.

    Attributes:
        power: Exponent, above 0; the larger, the faster the rate falls in the beginning.
        final: Factor of the full rate at the end, in [0, 1].
    """

    power: float = 1.0
    final: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        _check_final(self.final)
        if not self.power > 0:
            raise ValueError(f"Expected a power above 0, got {self.power:g}.")

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        return self.final + (1 - self.final) * (1 - progress) ** self.power


def scheduler_of(
    schedule: Schedule, optimizer: Optimizer, num_steps: Callable[[], float]
) -> LambdaLR:
    """Build a scheduler of torch that follows a schedule.

    Args:
        schedule: The schedule.
        optimizer: Optimizer whose learning rates it changes.
        num_steps: Returns the number of steps of the training. It is not called before the first
            step, since the training loader does not exist until then.
    """

    def factor(step: int) -> float:
        return schedule.factor(min(step / num_steps(), 1.0) if step else 0.0)

    return LambdaLR(optimizer, factor)


def follow_schedules(trainer: Trainer) -> None:
    """Set the learning rates that the schedules of a resumed fit have now.

    A checkpoint holds those of the length that training had when it was saved.
    """
    for config in trainer.lr_scheduler_configs:
        if isinstance(scheduler := config.scheduler, LambdaLR):
            lambdas = zip(scheduler.base_lrs, scheduler.lr_lambdas, strict=True)
            rates = [base * factor(scheduler.last_epoch) for base, factor in lambdas]
            for group, rate in zip(scheduler.optimizer.param_groups, rates, strict=True):
                group["lr"] = rate
            scheduler._last_lr = rates


def num_steps_of(trainer: Trainer) -> float:
    """Number of optimizer steps in the whole training.

    Call it when training has started: before that, it would create another training loader.

    Raises:
        ValueError: If the training is not limited.
    """
    num_steps = trainer.estimated_stepping_batches
    if isinf(num_steps):
        raise ValueError(
            "A schedule spans the whole training, but its length is not limited: set "
            "trainer.max_epochs or trainer.max_steps."
        )
    return num_steps


def _check_final(final: float) -> None:
    if not 0 <= final <= 1:
        raise ValueError(f"Expected final in [0, 1], got {final:g}.")
