"""Evaluation recorder: which checkpoint was scored on which images, and when."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from mlflow.exceptions import MlflowException

from callbacks import CorruptionTest, PictureGallery
from datamodules.redaction import redact
from lightning_app.cli.seen_images_check import SeenImagesCheck
from lightning_app.store.describe_run import name_dataset
from lightning_app.store.earlier_results import keep_earlier_results
from lightning_app.store.evaluations import (
    SEEN,
    Evaluation,
    checkpoint_label,
    evaluations_of,
    latest_evaluation,
    settings_digest,
    store_evaluations,
)
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.run_recorder import run_logger_of
from lightning_app.store.stored_run import open_stored_run
from models.evaluation.metrics import METRICS

SPLITS = {TrainerFn.TESTING: "test", TrainerFn.VALIDATING: "val", TrainerFn.FITTING: "val"}


class EvaluationRecorder(Callback):
    """Records each evaluation of a run, and keeps the results of the one before.

    It has to come before the pictures, which replace the results of an earlier evaluation.

    Args:
        settings: Settings of the command that can change a score.
        check: Knows how many of the images were trained on.
    """

    def __init__(self, settings: dict[str, Any], check: SeenImagesCheck) -> None:
        self.settings, self.check = settings, check
        self.checkpoint, self.epoch = "last", -1  # the epoch is that of the last validation
        self._digests: dict[str, str] = {}  # of the images of each split

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remember the epoch: a fit that resumes in the middle of one does not start it again."""
        self.training_epoch = trainer.current_epoch

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remember the epoch that is validated next."""
        self.training_epoch = trainer.current_epoch

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the results of an earlier validation."""
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._keep_earlier(trainer)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the results of an earlier test."""
        self._keep_earlier(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record a validation; one within a fit is only remembered."""
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._record(trainer)
        elif not trainer.sanity_checking:
            self.epoch = self.training_epoch

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record a test."""
        self._record(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the last validation of a fit, whose tables are stored next."""
        if self.epoch < 0:
            return
        try:
            self._keep_earlier(trainer)
            self._record(trainer)
        except (MlflowException, OSError) as error:
            rank_zero_warn(f"The evaluation is not in the table of the run: {error}.")

    def _keep_earlier(self, trainer: Trainer) -> None:
        if (logger := _own_logger(trainer)) is None:
            return
        if logger.attached is None:  # a new run has none, and its tracker may be slow
            return
        planned, client = self._evaluation(trainer), logger.experiment
        with open_stored_run(client, client.get_run(logger.run_id)) as record:
            last = latest_evaluation(evaluations_of(record), planned.split)
            if last is not None and last.repeats(planned):
                return
            files = record.files
        if place := keep_earlier_results(client, logger.run_id or "", files, planned.split):
            whose = checkpoint_label(last.checkpoint, last.epoch) if last else "an earlier version"
            rank_zero_info(f"The {planned.split} results of {whose} are kept in {place}.")

    def _record(self, trainer: Trainer) -> None:
        if (logger := _own_logger(trainer)) is None:
            return
        client, evaluation = logger.experiment, self._evaluation(trainer)
        known: list[Evaluation] = []
        if logger.attached is not None:
            with open_stored_run(client, client.get_run(logger.run_id)) as record:
                known = evaluations_of(record)
        store_evaluations(client, logger.run_id or "", [*known, evaluation])
        client.set_tag(logger.run_id, f"evaluated.{evaluation.split}", evaluation.summary())

    def _evaluation(self, trainer: Trainer) -> Evaluation:
        split = SPLITS[trainer.state.fn]  # pyright: ignore[reportArgumentType]
        source = trainer.datamodule.sources[split]  # pyright: ignore[reportAttributeAccessIssue]
        if split not in self._digests:
            self._digests[split] = source.fingerprint()
        logged, data = trainer.callback_metrics, self.settings["data"]
        return Evaluation(
            split + SEEN * bool(self.check.seen),
            self.checkpoint,
            self.epoch,
            int((source.labels >= 0).sum()),
            self.check.seen,
            self._digests[split],
            settings_digest(self.settings),
            name_dataset(data["class_path"], data["init_args"]),
            time.time_ns() // 1_000_000,
            {m.name: float(logged[key]) for m in METRICS if (key := f"{split}/{m.name}") in logged},
        )


def evaluation_callbacks(settings: Mapping[str, Any], config: Namespace) -> list[Callback]:
    """The check for images that were trained on, the recorder, and the test on corrupted images.

    Args:
        settings: The configuration as `resolved_settings` gives it.
        config: The parsed configuration.
    """
    data = redact(settings["data"])
    check = SeenImagesCheck(data, config.allow_seen)
    scored = {"data": data, "precision": settings["trainer"]["precision"]}
    corrupt = config.get("corrupt", False)
    tests = [CorruptionTest() if corrupt is True else CorruptionTest(corrupt)] if corrupt else []
    return [check, EvaluationRecorder(scored, check), *tests]


def name_checkpoint(trainer: Trainer, file: str, epoch: int | None) -> None:
    """Tell the callbacks of an evaluation which checkpoint it is of.

    Args:
        trainer: The trainer.
        file: The checkpoint.
        epoch: Its epoch; None for a network that is made of others.
    """
    for callback in trainer.callbacks:  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(callback, PictureGallery):
            callback.tested_epoch = epoch
        if isinstance(callback, EvaluationRecorder):
            callback.checkpoint = Path(file).stem
            callback.epoch = -1 if epoch is None else epoch


def _own_logger(trainer: Trainer) -> RunLogger | None:
    return run_logger_of(trainer) if trainer.is_global_zero else None
