"""Progress bar that also shows the best validation so far."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar


class BestMetricBar(TQDMProgressBar):
    """Lightning's bar with the best value so far of the metric that the best checkpoint monitors.

    Args:
        refresh_rate: Steps between two updates.
    """

    def __init__(self, refresh_rate: int = 1) -> None:
        super().__init__(refresh_rate)
        self.best: float | None = None

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare with the validation of this epoch, whose checkpoint is saved later."""
        checkpoint = _monitoring(trainer)
        value = trainer.callback_metrics.get(str(checkpoint.monitor)) if checkpoint else None
        if checkpoint is not None and value is not None:
            known = checkpoint.best_model_score  # also of the epochs before a fit was resumed
            values = [float(value), *([] if known is None else [float(known)])]
            self.best = max(values) if checkpoint.mode == "max" else min(values)
        super().on_train_epoch_end(trainer, pl_module)

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """See `ProgressBar`."""
        metrics = super().get_metrics(trainer, pl_module)
        return metrics if self.best is None else {**metrics, "best": self.best}


def _monitoring(trainer: Trainer) -> ModelCheckpoint | None:
    """The callback that keeps the best checkpoint."""
    callbacks = trainer.checkpoint_callbacks
    return next((c for c in callbacks if isinstance(c, ModelCheckpoint) and c.monitor), None)
