"""Run recorder: logs configuration, code, environment and data, so that a run can be repeated."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from jsonargparse import Namespace
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, SaveConfigCallback
from lightning.pytorch.utilities import rank_zero_warn

from datamodules import ImageDataModule
from datamodules.redaction import redact, redact_arguments
from lightning_app.store.environment import code_version, environment
from lightning_app.store.model_summary import summarize
from lightning_app.store.node_metrics import NodeMetrics, watch_node
from lightning_app.store.recorded_images import log_images
from lightning_app.store.recorded_settings import Changes, log_settings
from lightning_app.store.repeated_points import SavedPosition, repeated_points
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.slurm_job import remember_folder

# Keys of a checkpoint.
RUN_ID, RUN_NAME, CLASS_NAMES = "mlflow_run_id", "run_name", "class_names"
IMAGE_SIZE, NUM_CHANNELS, RESIZE = "image_size", "num_channels", "resize"
POSITION = "metrics_position"


class RunRecorder(SaveConfigCallback):
    """Logs configuration, command, code version, environment, data and model of a fit.

    It also sets the folder of the checkpoints and writes the id of the run into them, so that a
    resumed fit and a later test continue the same run.

    Args:
        parser: The parser of the command.
        config: The parsed configuration.
        command: The command line after `lightning_cli`.
        settings: The configuration as `resolved_settings` gives it; what is decided before the
            first step is added to it.
    """

    def __init__(
        self,
        parser: LightningArgumentParser,
        config: Namespace,
        command: Sequence[str],
        settings: Mapping[str, Any],
    ) -> None:
        super().__init__(parser, config, save_to_log_dir=False)
        self.command, self.settings = command, settings
        self._position: SavedPosition | None = None  # of the checkpoint that is resumed
        self._node: NodeMetrics | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find the checkpoints to place in the folder of the run, and summarise the network.

        A new run does not exist yet: a fit that is refused before its first step leaves none.
        """
        logger = run_logger_of(trainer)
        if logger is None:
            return
        logger.waits = False
        checkpoints = [c for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint)]
        self._placed = [c for c in checkpoints if c.dirpath is None]
        # They read it before training starts. Other machines may not find the run.
        if trainer.strategy.broadcast(logger.attached is not None):
            self._set_folder(trainer, logger)
        if trainer.is_global_zero and stage == "fit":  # later, the network is on another device
            data = _data_of(trainer)
            self._summary = summarize(pl_module, data.num_channels, data.image_size)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Create the run, set the folder of its checkpoints, and record it."""
        logger = run_logger_of(trainer)
        if logger is None:
            return
        self._set_folder(trainer, logger)
        self._node = watch_node(trainer, logger)
        if trainer.is_global_zero:
            remember_folder(logger.checkpoint_folder.resolve())
            self.save_config(trainer, pl_module, "fit")

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Record a fit; a test or prediction continues a run that was recorded before."""
        logger = run_logger_of(trainer)
        assert logger is not None
        client, run_id = logger.experiment, logger.run_id
        config = redact({**self.settings, "ckpt_path": None})  # a repetition starts from scratch
        changes = log_settings(client, run_id, config, logger.attached is not None)
        client.set_tag(
            run_id, "command", shlex.join(["lightning_cli", *redact_arguments(self.command)])
        )
        client.set_tag(run_id, "backbone", logger.default_name)
        for name, value in code_version().items():
            client.set_tag(run_id, name, value)
        client.log_text(run_id, environment(), "config/environment.txt")
        client.log_text(run_id, self._summary, "model/summary.txt")
        changed_splits = log_images(
            client, run_id, _data_of(trainer), config, logger.attached is not None
        )
        if warning := _warning(changes, changed_splits):
            rank_zero_warn(warning)
        elif self._position is not None:  # with other settings, the points are other ones
            logger.buffer.repeated = repeated_points(client, run_id, self._position)

    def _set_folder(self, trainer: Trainer, logger: RunLogger) -> None:
        folder = trainer.strategy.broadcast(
            str(logger.checkpoint_folder) if trainer.is_global_zero else ""
        )
        for checkpoint in self._placed:
            checkpoint.dirpath = folder

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the run, the class names, the format of the images, and the metrics.

        What the checkpoint has seen is sent before: a resumed fit does not compute it again.
        """
        logger = run_logger_of(trainer)
        if logger is not None:
            checkpoint[RUN_ID], checkpoint[RUN_NAME] = logger.run_id, logger.run_name
            if trainer.is_global_zero:
                logger.flush()
            position = SavedPosition.of(logger.buffer, trainer.global_step, trainer.validating)
            checkpoint[POSITION] = position._asdict()
        data = _data_of(trainer)
        checkpoint[CLASS_NAMES] = list(data.class_names)
        checkpoint[IMAGE_SIZE], checkpoint[NUM_CHANNELS] = data.image_size, data.num_channels
        checkpoint[RESIZE] = data.resize

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Continue the metrics; checkpoints of earlier versions do not say where they were."""
        logger = run_logger_of(trainer)
        if logger is not None and POSITION in checkpoint:
            self._position = SavedPosition(**checkpoint[POSITION])
            logger.buffer.epoch = self._position.epoch
            logger.buffer.seen.update(self._position.seen)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the run of a fit that was killed after its last step, so that it gets its end."""
        logger = run_logger_of(trainer)
        if logger is not None:
            _ = logger.experiment

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Stop watching this machine."""
        if self._node is not None:
            self._node.stop()
            self._node = None


def run_logger_of(trainer: Trainer) -> RunLogger | None:
    """The run logger of a trainer; None if the user removed it."""
    return next((logger for logger in trainer.loggers if isinstance(logger, RunLogger)), None)


def _data_of(trainer: Trainer) -> ImageDataModule:
    data = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(data, ImageDataModule)
    return data


def _warning(changes: Changes, changed_splits: Sequence[str]) -> str:
    """Say which settings and images differ from those of the run that is resumed."""
    shown = [f"{key} {now} (was {before})" for key, (before, now) in changes.items()]
    if changed_splits:
        shown.append(f"other images or labels in {', '.join(changed_splits)}")
    return f"Resumed with other settings: {'; '.join(shown)}." if shown else ""
