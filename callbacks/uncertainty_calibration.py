"""Uncertainty calibration: every validation of a fit sets the thresholds of its checkpoint."""

from dataclasses import dataclass
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn

from callbacks.output_recorder import OutputRecorder, Outputs
from callbacks.trainer_parts import classifier_of
from models.evaluation.uncertainty import Uncertainty, fit_uncertainty


@dataclass(eq=False)
class UncertaintyCalibration(Callback):
    """Fit prediction sets and the threshold of unknown images on the validation images of a fit.

    The checkpoints that are written before the next step hold them.

    Attributes:
        recorder: Keeps the network's outputs; it has to come before this callback.
    """

    recorder: OutputRecorder

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Forget what held for the weights before this step."""
        classifier_of(pl_module).uncertainty = None

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Fit the thresholds in the first process, and tell the others."""
        if trainer.state.fn != TrainerFn.FITTING or trainer.sanity_checking:
            return
        outputs = self.recorder.gather(trainer)
        fitted = None if outputs is None else _fitted(outputs)
        classifier_of(pl_module).uncertainty = trainer.strategy.broadcast(fitted)


def _fitted(outputs: Outputs) -> Uncertainty | None:
    found, sampled = outputs.predictions.labelled(), outputs.features
    features = None
    if sampled is not None:
        features = sampled.values[outputs.predictions.labels[sampled.rows] >= 0]
    return fit_uncertainty(found.logits, found.labels, features)
