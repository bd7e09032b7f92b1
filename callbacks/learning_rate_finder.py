"""Look for a learning rate before the first step."""

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
PEAKS = ("lr", "initial_lr", "max_lr")  # where schedulers keep the highest rate of a group
RATES = (*PEAKS, "min_lr")


@dataclass(eq=False)
class LearningRateRangeTest(Callback):
    """Try rising learning rates on a copy of the network, and log `figures/learning_rate.png`.

    The training that follows is the same as without, unless it is told to use the suggestion: then
    all rates are scaled, so that the head trains at the suggested one. A resumed fit tries none.

    Attributes:
        lowest: Rate of the first step.
        highest: Rate of the last step; the test ends where the loss diverges.
        num_steps: Rates to try, one a batch.
        use_suggestion: Whether to train at the rate at which the loss falls fastest.

    Raises:
        ValueError: If the rates do not rise from above 0, or there are too few steps.
    """

    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("learning_rate", "course"),)

    lowest: float = 1e-6
    highest: float = 1.0
    num_steps: int = 100
    use_suggestion: bool = False

    def __post_init__(self) -> None:
        """Refuse what makes no curve."""
        if not 0 < self.lowest < self.highest:
            raise ValueError(
                f"Expected 0 < lowest < highest, got {self.lowest:g} and {self.highest:g}."
            )
        if self.num_steps < MIN_STEPS:
            raise ValueError(f"Expected num_steps of {MIN_STEPS} or more, got {self.num_steps}.")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Test, draw, and say what came out."""
        if trainer.global_step > 0:
            return
        rates = np.geomspace(self.lowest, self.highest, self.num_steps)
        bar = tqdm(_batches(trainer), "Learning rates", self.num_steps, delay=2, leave=False)
        with isolate_rng(), trainer.precision_plugin.train_step_context():
            tried = range_test(classifier_of(pl_module), bar, rates)
        suggestion = trainer.strategy.broadcast(tried.suggestion())
        log_figure(trainer, plot_learning_rates(*tried, suggestion), "learning_rate")
        if suggestion is None:
            rank_zero_info("Learning rate: none to suggest, the loss falls nowhere.")
            return
        used = "used" if self.use_suggestion else "not used"
        rank_zero_info(f"Learning rate: the loss falls fastest at {suggestion:.1e}; {used}.")
        if self.use_suggestion:
            _scale_rates(trainer, suggestion)


def _batches(trainer: Trainer) -> Iterator[tuple[Tensor, Tensor]]:
    """Training batches on the device, without end, from a loader of their own."""
    loader = trainer.datamodule.train_dataloader()  # pyright: ignore[reportAttributeAccessIssue]
    for batch in chain.from_iterable(repeat(loader)):
        images, labels, _ = trainer.strategy.batch_to_device(batch)
        yield images, labels


def _scale_rates(trainer: Trainer, wanted: float) -> None:
    """Multiply all rates, those that schedulers start from too: the highest becomes `wanted`."""
    [optimizer] = trainer.optimizers
    groups = optimizer.param_groups
    highest = max(group[name] for group in groups for name in PEAKS if name in group)
    for group in groups:
        group.update({name: group[name] * wanted / highest for name in RATES if name in group})
    for config in trainer.lr_scheduler_configs:
        if not config.reduce_on_plateau:  # which starts from the rate that it finds
            config.scheduler.base_lrs = [group["initial_lr"] for group in groups]
