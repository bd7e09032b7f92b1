"""Confusion matrices and what follows from them for each class."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from matplotlib.figure import Figure

from callbacks.plots import plot_confusion_matrix
from callbacks.run import classifier_of, data_of
from callbacks.tracking import log_figure, log_step_figure, log_table
from callbacks.visualizer import check_schedule
from models.metrics import class_scores


@dataclass(eq=False)
class ConfusionMatrixMonitor(Callback):
    """Show what is taken for what, from the counts that the classifier keeps anyway.

    A fit logs `val/confusion_matrix` (percent of each true class) and `val/confusion_counts` into
    the image grid, and the table `per_class_val` at its end; `validate` and `test` log both as
    figures, and the table.

    Attributes:
        every_n_epochs: Draw after every n-th epoch of a fit.
    """

    every_n_epochs: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be scheduled."""
        check_schedule(self.every_n_epochs)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the counts of this pass."""
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        if trainer.state.fn != TrainerFn.FITTING:
            _log_once(trainer, pl_module, "val")
        elif trainer.current_epoch % self.every_n_epochs == 0:
            title = f"validation, epoch {trainer.current_epoch}"
            for name, figure in _figures(trainer, _counts(pl_module), title):
                log_step_figure(trainer, figure, f"val/{name}")

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the counts of the test."""
        if trainer.is_global_zero:
            _log_once(trainer, pl_module, "test")

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table of the last validation."""
        if trainer.is_global_zero and classifier_of(pl_module).confusion.update_called:
            _log_scores(trainer, _counts(pl_module), "val")


def _log_once(trainer: Trainer, module: LightningModule, stage: str) -> None:
    counts = _counts(module)
    for name, figure in _figures(trainer, counts, stage):
        log_figure(trainer, figure, f"{stage}_{name}")
    _log_scores(trainer, counts, stage)


def _figures(trainer: Trainer, counts: torch.Tensor, title: str) -> Iterator[tuple[str, Figure]]:
    names = data_of(trainer).class_names
    for name, normalize in (("confusion_matrix", True), ("confusion_counts", False)):
        yield name, plot_confusion_matrix(counts.numpy(), names, title, normalize)


def _counts(module: LightningModule) -> torch.Tensor:
    # Reduced over the processes already, when the classifier logged its metrics, and kept.
    return classifier_of(module).confusion.compute().cpu()


def _log_scores(trainer: Trainer, counts: torch.Tensor, stage: str) -> None:
    scores = class_scores(counts)
    columns = {name: values.tolist() for name, values in scores._asdict().items()}
    class_names = list(data_of(trainer).class_names)
    log_table(trainer, {"class": class_names, **columns}, f"per_class_{stage}")
