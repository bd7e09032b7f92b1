"""Optimization: builds optimizer and scheduler, and sets the learning rates of each step."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any, Literal

from lightning.pytorch import Trainer
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from models.optimization.fused import prepare_fused
from models.optimization.parameter_groups import (
    first_steps,
    rates_of,
    scaled_rates,
    stage_of,
    training_stages,
)
from models.optimization.schedules import Schedule, scheduler_of

DEFAULT_OPTIMIZER = AdamW
NEVER = sys.maxsize  # epochs after which Lightning steps a scheduler


@dataclass(frozen=True)
class Optimization:
    """Settings that apply to any optimizer and any scheduler.

    Attributes:
        stage_decay: Learning rate of a stage relative to the next one, in (0, 1]; the head has the
            full rate.
        decay_all: Whether weight decay applies to biases and norms, too.
        warmup_epochs: Number of epochs, maybe below 1, over which the rate of a stage rises
            linearly from nearly 0 to the scheduled rate, from the step on that it starts to train.
        lr_interval: When a scheduler of torch steps. A `Schedule` steps with the optimizer.
        backbone_rate: Learning rate of the backbone relative to that of the head, in (0, 1].

    Raises:
        ValueError: If a number is out of range.
    """

    stage_decay: float = 1.0
    decay_all: bool = False
    warmup_epochs: float = 0.0
    lr_interval: Literal["epoch", "step"] = "epoch"
    backbone_rate: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("backbone_rate", "stage_decay"):
            if not 0 < (value := getattr(self, name)) <= 1:
                raise ValueError(f"Expected {name} in (0, 1], got {value:g}.")
        if not (isfinite(self.warmup_epochs) and self.warmup_epochs >= 0):
            raise ValueError(f"Expected warmup_epochs of 0 or more, got {self.warmup_epochs:g}.")

    def configure(
        self,
        make_optimizer: OptimizerCallable,
        make_scheduler: LRSchedulerCallable | Schedule | None,
        groups: list[dict[str, Any]],
        num_steps: Callable[[], float],
    ) -> OptimizerLRScheduler:
        """Build what `configure_optimizers` returns to Lightning; see the two methods below.

        Raises:
            ValueError: If the optimizer or the scheduler rejects a setting.
        """
        optimizer = self.build_optimizer(make_optimizer, groups)
        if make_scheduler is None:
            return optimizer
        scheduler = self.build_scheduler(make_scheduler, optimizer, num_steps)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}  # pyright: ignore[reportReturnType]

    def build_optimizer(self, make: OptimizerCallable, groups: list[dict[str, Any]]) -> Optimizer:
        """Build the optimizer, and lower the rates of the backbone's stages; the head comes last.

        Raises:
            ValueError: If the optimizer rejects a setting.
        """
        with _naming("optimizer"):
            optimizer = make(groups)
        prepare_fused(optimizer)
        stages = list(rates_of(optimizer))[::-1]
        for group in optimizer.param_groups:
            behind = stages.index(stage_of(group))
            group["lr"] *= self.stage_decay**behind * (self.backbone_rate if behind else 1.0)
        return optimizer

    def build_scheduler(
        self,
        make: LRSchedulerCallable | Schedule,
        optimizer: Optimizer,
        num_steps: Callable[[], float],
    ) -> dict[str, Any]:
        """Build the scheduler, and configure when it steps and which metric it monitors.

        Args:
            make: A schedule, or a function that builds a scheduler of torch.
            optimizer: Optimizer whose learning rates it changes.
            num_steps: See `scheduler_of`.

        Raises:
            ValueError: If the scheduler rejects a setting.
        """
        if isinstance(make, Schedule):
            return {"scheduler": scheduler_of(make, optimizer, num_steps), "interval": "step"}
        with _naming("lr_scheduler"):
            scheduler = make(optimizer)
        config = {"scheduler": scheduler, "interval": self.lr_interval}
        if isinstance(scheduler, ReduceLROnPlateau):
            # Only Lightning's subclass has a monitor. For `frequency` see `step_on_plateau`.
            config |= {"monitor": getattr(scheduler, "monitor", "val/loss"), "frequency": NEVER}
        return config

    def rates(self, trainer: Trainer) -> dict[str, float]:
        """Learning rate at the next step of each stage of which something trains."""
        [optimizer] = trainer.optimizers
        training = training_stages(optimizer)
        with scaled_rates(optimizer, self.warmup_factors(trainer)):
            return {stage: rate for stage, rate in rates_of(optimizer).items() if stage in training}

    def warmup_factors(self, trainer: Trainer) -> list[float]:
        """Factor of the rate of each optimizer group at the next step: 1 after its warm-up.

        The first steps of an optimizer like Adam are as long as its rate allows, so a stage that is
        unfrozen later needs a warm-up of its own.
        """
        [optimizer] = trainer.optimizers
        now = trainer.global_step
        steps = ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)
        length = max(self.warmup_epochs * steps, 1.0)
        return [min(1.0, (now - start + 1) / length) for start in first_steps(optimizer, now)]


def step_on_plateau(trainer: Trainer) -> None:
    """Step each `ReduceLROnPlateau`, which lowers the rates if its metric does not improve.

    Lightning would do this after it has written the checkpoint of the epoch, so that a resumed fit
    would lack the step.

    Raises:
        ValueError: If its metric was not logged.
    """
    for config in trainer.lr_scheduler_configs:
        if config.reduce_on_plateau:
            metrics, name = trainer.callback_metrics, str(config.monitor)
            if name not in metrics:
                raise ValueError(
                    f"ReduceLROnPlateau monitors {name!r}, which is not logged when an epoch ends; "
                    f"expected one of {', '.join(sorted(metrics))}."
                )
            config.scheduler.step(metrics[name])  # pyright: ignore[reportArgumentType]


@contextmanager
def _naming(option: str) -> Iterator[None]:
    """Name the option whose value a constructor of torch rejects."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise ValueError(f"model.init_args.{option}: {error}") from error
