"""Fits of `gpu.py`: by the command line, with a clock that waits for the device."""

import copy
import os
import sys
import time
from collections.abc import Mapping
from contextlib import chdir, redirect_stdout
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from gpu_machine import Settings, synchronize
from lightning.pytorch import Callback, LightningModule, Trainer

from lightning_app.api.settings import as_arguments, as_config
from lightning_app.cli import training_commands
from lightning_app.cli.classification_cli import ImageClassificationCLI
from lightning_app.store.run_recorder import run_logger_of

PLAIN = {"pictures.budget": 0, "report": False, "log_model": False}
TRAINER = {"max_epochs": 1, "num_sanity_val_steps": 0, "enable_progress_bar": False, "devices": 1}


class Timing(NamedTuple):
    """What some training steps took.

    Attributes:
        images: Number of images.
        seconds: Seconds of these steps.
        warm_up: Seconds before them, with compilation.
        peak: Bytes of the GPU that were in use at once; None on a CPU.
    """

    images: int
    seconds: float
    warm_up: float
    peak: int | None

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.images / self.seconds


class Clock(Callback):
    """Times the steps of a fit after the first ones, and waits for the device before and after.

    Args:
        warm_up: Number of first steps.
        steps: Number of steps to time.
    """

    def __init__(self, warm_up: int, steps: int) -> None:
        self.warm_up, self.steps, self.images = warm_up, steps, 0
        self.marks: list[float] = []
        self.peak: int | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the warm-up."""
        self.marks = [time.perf_counter()]

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Start the clock before the first step that counts."""
        if batch_idx == self.warm_up:
            start_peak(pl_module.device.type)
            self.marks.append(time.perf_counter())
        if batch_idx >= self.warm_up:
            self.images += len(batch[1])

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Stop it after the last one."""
        if batch_idx == self.warm_up + self.steps - 1:
            self.peak = read_peak(pl_module.device.type)
            self.marks.append(time.perf_counter())

    @property
    def timing(self) -> Timing:
        """The result."""
        started, warm, ended = self.marks
        return Timing(self.images, ended - warm, warm - started, self.peak)


def start_peak(device: str) -> None:
    """Wait for the device, and forget how much of its memory was in use."""
    synchronize(device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()


def read_peak(device: str) -> int | None:
    """Wait for the device, and return how many bytes of it were in use at once."""
    synchronize(device)
    return torch.cuda.max_memory_allocated() if device == "cuda" else None


def fit(
    config: Mapping[str, Any], settings: Settings, overrides: Mapping[str, Any] | None = None
) -> ImageClassificationCLI:
    """Run `lightning_cli fit` in the folder of the part; what it prints goes to the log.

    Environment variables are restored: MLflow keeps the address of its store in one.

    Args:
        config: Data, model, trainer and so on.
        settings: Settings of the part.
        overrides: Settings by their dotted names.
    """
    whole = copy.deepcopy(dict(config))
    whole["trainer"] = TRAINER | {"accelerator": settings.accelerator} | whole.get("trainer", {})
    settings.folder.mkdir(parents=True, exist_ok=True)
    arguments = as_arguments(PLAIN | dict(overrides or {}))
    with chdir(settings.folder), redirect_stdout(sys.stderr), patch.dict(os.environ):
        return training_commands.run(["fit", as_config(whole), *arguments])


def clock_of(cli: ImageClassificationCLI) -> Clock:
    """The clock of a finished fit."""
    callbacks: list[Callback] = cli.trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
    return next(callback for callback in callbacks if isinstance(callback, Clock))


def run_id_of(cli: ImageClassificationCLI) -> str:
    """Id of the run of a finished fit."""
    logger = run_logger_of(cli.trainer)
    return (logger and logger.run_id) or ""
