"""Stopwatch: seconds of training per epoch."""

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from callbacks.tracking import log_metric


class Stopwatch(Callback):
    """Log `time/epoch`: seconds of training in each epoch, without validation and pictures.

    For an epoch that was resumed in the middle, only the rest of it is counted.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._started: float | None = None  # None while it is paused

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start from zero."""
        self._seconds, self._started = 0.0, time.perf_counter()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Pause: a fit validates within its epochs."""
        self._pause()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Resume after a validation and its pictures."""
        if self._started is None:
            self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the seconds of this epoch."""
        self._pause()
        log_metric(trainer, "time/epoch", self._seconds, trainer.current_epoch)

    def _pause(self) -> None:
        if self._started is not None:
            self._seconds += time.perf_counter() - self._started
            self._started = None
