"""Saved progress: where a resumed fit goes on, if Lightning's own counters lead elsewhere."""

from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.trainer.states import TrainerStatus

TRAINED = "epoch_loop.batch_progress"  # keys of a checkpoint
VALIDATED = "epoch_loop.val_loop.batch_progress"
NONE = {"ready": 0, "started": 0, "processed": 0, "completed": 0}
BEGUN = {"total": {**NONE, "ready": 1, "started": 1}, "current": NONE, "is_last_batch": False}


def correct_progress(trainer: Trainer, checkpoint: dict[str, Any]) -> None:
    """Correct the progress of a checkpoint that is saved within an epoch.

    From one that is saved after the last step of an epoch and before its validation, Lightning goes
    on with the next epoch. From one that an interruption within a validation saves, it takes the
    images from the first one on, but stops early. In both cases the validation begins anew.

    Args:
        trainer: The trainer, in the hook `on_save_checkpoint`.
        checkpoint: Its content, changed in place.
    """
    progress, loop = checkpoint["loops"]["fit_loop"], trainer.fit_loop.epoch_loop
    if trainer.validating and trainer.state.status == TrainerStatus.INTERRUPTED:
        progress[VALIDATED] = BEGUN
        return
    batches = progress[TRAINED]
    if batches["current"]["completed"] == batches["current"]["processed"] - 1:
        for counts in (batches["total"], batches["current"]):
            counts["completed"] += 1
        fetcher = trainer.fit_loop._data_fetcher
        if fetcher is not None and loop._should_check_val_fx(fetcher):
            progress[VALIDATED] = BEGUN
