"""How long an epoch trains."""

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from callbacks.tracking import log_metric


class Stopwatch(Callback):
    """Log `time/epoch`: seconds that each epoch trained, without its validations and pictures.

    Of an epoch that was resumed in its middle it counts what was left.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._started: float | None = None  # None while it is held

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start from zero."""
        self._seconds, self._started = 0.0, time.perf_counter()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Hold: a fit validates inside its epochs."""
        self._hold()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Go on after a validation, and what was drawn of it."""
        if self._started is None:
            self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log what was counted."""
        self._hold()
        log_metric(trainer, "time/epoch", self._seconds, trainer.current_epoch)

    def _hold(self) -> None:
        if self._started is not None:
            self._seconds += time.perf_counter() - self._started
            self._started = None
