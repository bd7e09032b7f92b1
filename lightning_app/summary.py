"""The four lines that end a fit."""

from pathlib import Path

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from lightning_app.tracking.run_record import run_logger_of


def print_summary(trainer: Trainer) -> None:
    """Say how good the network is, where it is, and how to look at the run."""
    logger = run_logger_of(trainer)
    checkpoints = trainer.checkpoint_callbacks
    best = next((c for c in checkpoints if isinstance(c, ModelCheckpoint) and c.monitor), None)
    if logger is None or best is None or best.best_model_score is None:
        return
    path = Path(best.best_model_path)
    epoch = torch.load(path, map_location="cpu", weights_only=True, mmap=True)["epoch"]
    score = best.best_model_score
    value = f"{best.monitor} {score:.4f} in epoch {epoch}"
    path = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    print(f"Best        {value}")
    print(f"Checkpoint  {path}")
    print(f"Run         {logger.run_name}, in the experiment {logger.experiment_name}")
    print("Look at it  lightning_cli ui")
