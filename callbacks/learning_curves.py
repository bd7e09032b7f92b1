"""Learning curves: loss, accuracy and learning rates in one figure."""

import re
from dataclasses import dataclass
from typing import ClassVar

from lightning.pytorch import Callback, LightningModule, Trainer

from callbacks.figure_kind import FigureKind
from callbacks.plots import plot_curves
from callbacks.progressive_unfreezing import ProgressiveUnfreezing
from callbacks.tracking import log_figure, metric_history, metric_names
from models import ImageClassifier
from models.freezing import stage_names

CURVES = ("train/loss", "val/loss", "train/accuracy", "val/accuracy")


@dataclass(eq=False)
class LearningCurvesVisualizer(Callback):
    """Loss, accuracy and learning rates over the epochs, with the epochs of unfreezing.

    The figure is logged as `figures/learning_curves.png` when a fit ends, even with an error. The
    values are read from the run, so the curves of a resumed run are complete.

    Attributes:
        macro_f1: Draw the macro F1 of the validation too.
    """

    name: ClassVar[str] = "curves"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("learning_curves", "course"),)

    macro_f1: bool = False

    _trained = False  # a test, or a fit that fails before its first step, has no curves

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remember that there will be curves."""
        self._trained = True

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw all epochs."""
        self._draw(trainer, pl_module)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Draw the epochs so far."""
        if self._trained:
            self._draw(trainer, pl_module)

    def _draw(self, trainer: Trainer, module: LightningModule) -> None:
        names = [*CURVES, *["val/f1_macro"] * self.macro_f1]
        history = {name: metric_history(trainer, name) for name in names}
        if any(history.values()):
            history |= _rates(trainer, module)
            log_figure(trainer, plot_curves(history, _freed(trainer)), "learning_curves")


def _rates(trainer: Trainer, module: LightningModule) -> dict[str, list[tuple[int, float]]]:
    """Learning rate of each stage that ever trains, from input to output; 0 while it is frozen."""
    names = _from_input_to_output(metric_names(trainer, "lr/"), module)
    rates = {name: dict(metric_history(trainer, name)) for name in names}
    epochs = sorted({epoch for points in rates.values() for epoch in points})
    return {
        name: [(epoch, points.get(epoch, 0.0)) for epoch in epochs]
        for name, points in rates.items()
    }


def _unfreezing(trainer: Trainer) -> ProgressiveUnfreezing | None:
    callbacks = trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
    return next((c for c in callbacks if isinstance(c, ProgressiveUnfreezing)), None)


def _from_input_to_output(rates: list[str], module: LightningModule) -> list[str]:
    """Learning rates in the order of the stages; for other networks in natural order."""
    stages = stage_names(module) if isinstance(module, ImageClassifier) else []
    places = {f"lr/{stage}": place for place, stage in enumerate(stages)}

    def place(name: str) -> tuple[int, list[tuple[int, str]]]:
        parts = re.findall(r"(\d*)(\D*)", name)
        return places.get(name, -1), [(int(digits or 0), rest) for digits, rest in parts]

    return sorted(rates, key=place)


def _freed(trainer: Trainer) -> list[tuple[int, str]]:
    """Epochs from which on other parameters train, with a label; none if all always train."""
    trainable = metric_history(trainer, "params/trainable")
    unfreezing = _unfreezing(trainer)
    boundaries = unfreezing.boundaries if unfreezing else {}
    changes: list[tuple[int, float]] = []
    for epoch, count in trainable:
        if not changes or count != changes[-1][1]:
            changes.append((epoch, count))
    totals = [count for _, count in metric_history(trainer, "params/total")]
    if len(changes) == 1 and changes[0][1] in totals:
        return []
    return [
        (epoch, f"{boundaries[epoch]}: {count:,.0f}" if epoch in boundaries else f"{count:,.0f}")
        for epoch, count in changes
    ]
