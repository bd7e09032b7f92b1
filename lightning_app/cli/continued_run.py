"""Continued run: a command goes on with the run that its checkpoint belongs to."""

from pathlib import Path

from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_info

from datamodules import ImageDataModule
from lightning_app.cli.checkpoint_checks import check_classes, check_is_free, check_length
from lightning_app.cli.evaluation_recorder import name_checkpoint
from lightning_app.store.checkpoints import read_checkpoint
from lightning_app.store.describe_run import MEMBERS
from lightning_app.store.run_recorder import RUN_ID, run_logger_of


def continue_run(path: str, fits: bool, trainer: Trainer, data: ImageDataModule) -> None:
    """Attach the logger to the run of a checkpoint, and say which it is.

    Args:
        path: File of the checkpoint.
        fits: Whether the command resumes the training; else, it evaluates.
        trainer: The trainer of the command.
        data: Its data.

    Raises:
        ValueError: If the checkpoint has other classes, another process trains the run, or
            nothing is left to train.
    """
    checkpoint, logger = read_checkpoint(Path(path)), run_logger_of(trainer)
    check_classes(path, checkpoint, data.class_names)
    run_id = checkpoint.get(RUN_ID)
    tested_epoch = None if fits else checkpoint["epoch"]
    found = logger is not None and run_id and logger.attach(run_id, tested_epoch)
    if fits:
        check_is_free(path)
        finished = not found or logger is None or logger.is_finished
        check_length(path, checkpoint, trainer, finished)
    else:
        epoch = None if MEMBERS in checkpoint else checkpoint["epoch"]
        name_checkpoint(trainer, path, epoch)
    run = f"from the run {logger.run_name}" if logger and found else "of no run in this store"
    rank_zero_info(f"Network and settings are those of {path}, {run}.")
