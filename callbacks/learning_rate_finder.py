"""Learning rate range test, before the first step of a fit."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import ClassVar

import numpy as np
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor
from tqdm import tqdm

from callbacks.figure_kind import FigureKind
from callbacks.plots import plot_learning_rates
from callbacks.tracking import log_figure
from callbacks.trainer_parts import classifier_of
from models.optimization.range_test import NOISY, range_test

MIN_STEPS = 2 * NOISY
PEAKS = ("lr", "initial_lr", "max_lr")  # keys under which groups hold their highest rate
RATES = (*PEAKS, "min_lr")


@dataclass(eq=False)
class LearningRateRangeTest(Callback):
    """Try increasing learning rates on a copy of the network; log `figures/learning_rate.png`.

    It does not change the training that follows, unless `use_suggestion` is set: then all learning
    rates are scaled so that the head trains at the suggested one. A resumed fit runs no test.

    Attributes:
        lowest: Learning rate of the first step.
        highest: Learning rate of the last step; the test ends earlier if the loss diverges.
        num_steps: Learning rates to try, one per batch.
        use_suggestion: Train at the learning rate at which the loss falls fastest.

    Raises:
        ValueError: If not 0 < lowest < highest, or there are too few steps.
    """

    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("learning_rate", "course"),)

    lowest: float = 1e-6
    highest: float = 1.0
    num_steps: int = 100
    use_suggestion: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        if not 0 < self.lowest < self.highest:
            raise ValueError(
                f"Expected 0 < lowest < highest, got {self.lowest:g} and {self.highest:g}."
            )
        if self.num_steps < MIN_STEPS:
            raise ValueError(f"Expected num_steps of {MIN_STEPS} or more, got {self.num_steps}.")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Run the test, draw its curve and print the suggestion."""
        if trainer.global_step > 0:
            return
        rates = np.geomspace(self.lowest, self.highest, self.num_steps)
        bar = tqdm(_batches(trainer), "Learning rates", self.num_steps, delay=2, leave=False)
        with isolate_rng(), trainer.precision_plugin.train_step_context():
            tried = range_test(classifier_of(pl_module), bar, rates)
        suggestion = trainer.strategy.broadcast(tried.suggestion())
        log_figure(trainer, plot_learning_rates(*tried, suggestion), "learning_rate")
        if suggestion is None:
            rank_zero_info("Learning rate: no suggestion, since the loss falls at none of them.")
            return
        used = "used" if self.use_suggestion else "not used"
        rank_zero_info(f"Learning rate: the loss falls fastest at {suggestion:.1e}; {used}.")
        if self.use_suggestion:
            _scale_rates(trainer, suggestion)


def _batches(trainer: Trainer) -> Iterator[tuple[Tensor, Tensor]]:
    """Training batches on the device, endless, from a data loader of their own."""
    loader = trainer.datamodule.train_dataloader()  # pyright: ignore[reportAttributeAccessIssue]
    for batch in chain.from_iterable(repeat(loader)):
        images, labels, _ = trainer.strategy.batch_to_device(batch)
        yield images, labels


def _scale_rates(trainer: Trainer, wanted: float) -> None:
    """Scale all learning rates, including those of schedulers, so that the highest is `wanted`."""
    [optimizer] = trainer.optimizers
    groups = optimizer.param_groups
    highest = max(group[name] for group in groups for name in PEAKS if name in group)
    for group in groups:
        group.update({name: group[name] * wanted / highest for name in RATES if name in group})
    for config in trainer.lr_scheduler_configs:
        if not config.reduce_on_plateau:  # which starts from the current rate
            config.scheduler.base_lrs = [group["initial_lr"] for group in groups]
