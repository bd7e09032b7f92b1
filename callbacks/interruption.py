"""Interruption: Ctrl-C ends a fit between two steps, and only such states are saved."""

import os
import signal
import threading
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loops.progress import _Progress

from callbacks.saved_progress import correct_progress
from callbacks.trainer_parts import classifier_of
from callbacks.training_dynamics import DynamicsRecorder

AGREED = 10  # steps between two agreements of several processes
NOTICE = b"\nCtrl-C: the fit ends after this step and is saved. Once more: at once, not saved.\n"


class Interruption(Callback):
    """Ends a fit after Ctrl-C where a resumed one continues exactly, and keeps good checkpoints.

    Within a step, some weights may be those of the next one, and batch norms have already seen the
    batch. So the first Ctrl-C lets the step end; in a validation, the batch. With several processes
    they agree every few steps, and a validation is finished. If an error comes within a step,
    nothing is saved, and `last.ckpt` stays as it was. It has to be the first callback.

    Attributes:
        requested: Whether the fit is to end at the next place between two steps.
    """

    def __init__(self) -> None:
        self.requested = False
        self._between_steps = False  # of which at least one is not saved yet
        self._previous: Any = None  # handler of the signal

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Handle Ctrl-C from here on."""
        self.requested = self._between_steps = False
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._request)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End before an epoch."""
        self._end_if_requested(trainer, trainer.fit_loop.epoch_progress)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """End before a step; else, it begins."""
        loop = trainer.fit_loop.epoch_loop
        if trainer.world_size == 1 or batch_idx % AGREED == 0:
            self._end_if_requested(trainer, loop.batch_progress)
        # Lightning's number of a step for loggers is off by one after some interruptions.
        loop._batches_that_stepped = trainer.global_step
        self._between_steps = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """The step is over, and the state may be saved."""
        self._between_steps = True

    def on_validation_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """End within a validation, which a resumed fit repeats."""
        # Processes may have different numbers of batches, so that they could not agree here.
        if trainer.world_size == 1 and not trainer.sanity_checking:
            self._end_if_requested(trainer)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """See `correct_progress`."""
        correct_progress(trainer, checkpoint)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Decide whether the state is saved; the checkpoints come after this callback."""
        self._stop_handling()
        if not self._between_steps:
            keep_earlier_checkpoints(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave Ctrl-C to others again: the last checkpoint is saved."""
        self._stop_handling()

    def _request(self, signum: int, frame: Any) -> None:
        if self.requested:
            self._between_steps = False  # wherever this is, it may be within a step
            raise KeyboardInterrupt
        self.requested = True
        if os.environ.get("LOCAL_RANK", "0") == "0":
            os.write(2, NOTICE)  # `print` may be what the signal has interrupted

    def _end_if_requested(self, trainer: Trainer, progress: _Progress | None = None) -> None:
        agreed = self.requested
        if trainer.world_size > 1:
            agreed = trainer.strategy.reduce_boolean_decision(self.requested, all=False)
        if not agreed:
            return
        classifier_of(trainer.lightning_module).train_sums.gather(trainer.strategy)
        for callback in trainer.callbacks:  # pyright: ignore[reportAttributeAccessIssue]
            if isinstance(callback, DynamicsRecorder):
                callback.gather(trainer)
        if progress is not None:  # what is about to begin does not count as begun
            progress.total.ready -= 1
            progress.current.ready -= 1
        raise KeyboardInterrupt

    def _stop_handling(self) -> None:
        # After an exception, Lightning ignores Ctrl-C until everything is saved.
        if self._previous is not None and signal.getsignal(signal.SIGINT) == self._request:
            signal.signal(signal.SIGINT, self._previous)
        self._previous = None


def keep_earlier_checkpoints(trainer: Trainer) -> None:
    """Save no checkpoint because of the exception that is being handled."""
    for checkpoint in trainer.checkpoint_callbacks:
        if hasattr(checkpoint, "save_on_exception"):
            checkpoint.save_on_exception = False  # pyright: ignore[reportAttributeAccessIssue]
