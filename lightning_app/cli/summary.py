"""Summary printed at the end of a command: the best epoch, and where to find the results."""

import logging
import os
from pathlib import Path

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from mlflow.exceptions import MlflowException

from callbacks import PredictionWriter
from lightning_app.store.checkpoints import read_checkpoint
from lightning_app.store.little_learned import little_learned
from lightning_app.store.locations import artifact_location
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.run_recorder import run_logger_of
from lightning_app.store.ui_view import open_at_last_epoch

log = logging.getLogger(__name__)

# Under `uv run`, which sets UV, lightning_cli is not on the path of the user's shell.
CLI = "uv run lightning_cli" if "UV" in os.environ else "lightning_cli"
UI = f"{CLI} ui"


def print_fit_summary(trainer: Trainer) -> None:
    """Print the best score, the checkpoint, the name of the run, and how to look at it.

    The sliders of the UI then start at the last epoch.
    """
    logger = run_logger_of(trainer)
    if logger is None:
        return
    try:
        open_at_last_epoch(logger.experiment, logger.experiment_id or "")
    except (MlflowException, OSError) as error:  # `lightning_cli ui` sets them, too
        log.warning("The view of the pictures could not be updated: %s", error)
    best, last = best_and_last(trainer)
    if best is not None and best.best_model_score is not None:
        epoch = read_checkpoint(Path(best.best_model_path))["epoch"]
        print(f"Best        {best.monitor} {best.best_model_score:.4f} in epoch {epoch}")
    else:
        print("Best        unknown: nothing was validated")
    _print_little_learned(trainer, logger)
    if chosen := best or last:
        path = Path(chosen.best_model_path)
        here = Path.cwd()
        print(f"Checkpoint  {path.relative_to(here) if path.is_relative_to(here) else path}")
    print(f"Run         {logger.run_name}, in the experiment {logger.experiment_name}")
    print(f"Look at it  {UI}")


def best_and_last(trainer: Trainer) -> tuple[ModelCheckpoint | None, ModelCheckpoint | None]:
    """The callbacks that have saved the best checkpoint, and any; None if none was saved."""
    checkpoints = [c for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint)]
    best = next((c for c in checkpoints if c.monitor and c.best_model_path), None)
    return best, next((c for c in checkpoints if c.best_model_path), None)


def _print_little_learned(trainer: Trainer, logger: RunLogger) -> None:
    """Say so if the network has hardly learned its training images."""
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    counts = trainer.datamodule.class_counts  # pyright: ignore[reportAttributeAccessIssue]
    try:
        params = logger.experiment.get_run(logger.run_id).data.params
    except (MlflowException, OSError):  # said already
        return
    found = little_learned(metrics, counts, params)
    if found is not None:
        reached, frequent = found
        print(
            f"Learned     little: {reached:.0%} of the training images were classified correctly "
            f"in the last epoch; always predicting the most frequent class gives {frequent:.0%}.\n"
            "            Try pretrained weights (--model.backbone.pretrained true), more epochs, "
            "another learning rate, or weaker augmentation."
        )


def print_prediction_files(trainer: Trainer, split: str) -> None:
    """Print where the predictions for a split are, and the filled-in sample submission if any."""
    logger = run_logger_of(trainer)
    if logger is None:
        return
    run = logger.experiment.get_run(logger.run_id)
    name = logger.renamed_splits.get(split, split)
    print(f"Predictions {artifact_location(run, f'predictions/{name}.csv')}")
    callbacks = trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
    writers = [callback for callback in callbacks if isinstance(callback, PredictionWriter)]
    if split == "predict" and any(writer.sample_submission for writer in writers):
        print(f"Submission  {artifact_location(run, 'predictions/submission.csv')}")
    print(f"Look at it  {UI}")
