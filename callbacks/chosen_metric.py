"""Chosen metric: one of all images, by which the best checkpoint is chosen."""

from collections.abc import Callable

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from callbacks.output_recorder import OutputRecorder
from models.evaluation.metrics import metric_named
from models.evaluation.predictions import Predictions


class ChosenMetric(Callback):
    """Log a metric that does not follow from counts, as `val/<name>` and `test/<name>`.

    It is computed from the outputs of the whole evaluation, over all processes.

    Args:
        recorder: Keeps the outputs; it has to come before this callback.
        name: Name of the metric; one that every evaluation logs anyway is not logged again.

    Raises:
        ValueError: If there is no such metric.
    """

    def __init__(self, recorder: OutputRecorder, name: str) -> None:
        self.recorder, self.name = recorder, name
        self.value: Callable[[Predictions], Tensor] | None = metric_named(name).of_predictions

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the metric of the validation."""
        self._log(trainer, pl_module, "val")

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the metric of the test."""
        self._log(trainer, pl_module, "test")

    def _log(self, trainer: Trainer, module: LightningModule, split: str) -> None:
        if self.value is None:
            return
        outputs, value = self.recorder.gather(trainer), None
        if outputs is not None and len(labelled := outputs.predictions.labelled()):
            value = self.value(labelled).float()
        value = trainer.strategy.broadcast(value)  # checkpoints are chosen in all processes
        if value is not None:
            module.log(f"{split}/{self.name}", value, prog_bar=True, on_step=False, on_epoch=True)
