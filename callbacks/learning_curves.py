"""Loss and accuracy over the epochs, as one picture for a report."""

from dataclasses import dataclass

from lightning.pytorch import Callback, LightningModule, Trainer

from callbacks.plots import plot_curves
from callbacks.tracking import log_figure, metric_history

CURVES = ("train/loss", "val/loss", "train/accuracy", "val/accuracy")


@dataclass(eq=False)
class LearningCurvesVisualizer(Callback):
    """Log `figures/learning_curves.png` when a fit ends, however it ends.

    The points are read back from the run, so the curves of a resumed one are whole.
    """

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw all epochs."""
        self._draw(trainer)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Draw the epochs that there were."""
        self._draw(trainer)

    def _draw(self, trainer: Trainer) -> None:
        history = {name: metric_history(trainer, name) for name in CURVES}
        if any(history.values()):
            log_figure(trainer, plot_curves(history), "learning_curves")
