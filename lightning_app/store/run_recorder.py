"""Run recorder: logs configuration, code, environment and data, so that a run can be repeated."""

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from jsonargparse import Namespace
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, SaveConfigCallback
from mlflow.entities import Dataset, DatasetInput, InputTag, Param

from datamodules import ImageDataModule
from datamodules.redaction import redact, redact_arguments
from datamodules.sources.source import UNLABELLED
from lightning_app.store.model_summary import summarize
from lightning_app.store.parameters import flatten
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.slurm_job import remember_folder

MAX_PARAMS = 100  # that MLflow accepts at once
MAX_VALUE = 6000  # characters of a value that MLflow accepts
# Keys of a checkpoint.
RUN_ID, CLASS_NAMES = "mlflow_run_id", "class_names"
IMAGE_SIZE, NUM_CHANNELS, RESIZE = "image_size", "num_channels", "resize"


class RunRecorder(SaveConfigCallback):
    """Logs configuration, command, code version, environment, data and model of a fit.

    It also sets the folder of the checkpoints and writes the id of the run into them, so that a
    resumed fit and a later test continue the same run.

    Args:
        parser: The parser of the command.
        config: The parsed configuration.
        command: The command line after `lightning_cli`.
    """

    def __init__(
        self, parser: LightningArgumentParser, config: Namespace, command: Sequence[str]
    ) -> None:
        super().__init__(parser, config, save_to_log_dir=False)
        self.command = command

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
        if logger.attached is not None:  # they read it before training starts
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
        if trainer.is_global_zero:
            remember_folder(logger.checkpoint_folder.resolve())
            self.save_config(trainer, pl_module, "fit")

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Record a fit; a test or prediction continues a run that was recorded before."""
        logger = run_logger_of(trainer)
        assert logger is not None
        client, run_id = logger.experiment, logger.run_id
        config = redact(self._resolved())
        # Of a new run nothing is asked: the tracker may be slow.
        known = {} if logger.attached is None else client.get_run(run_id).data.params
        self._log_config(client, run_id, config, known)
        client.set_tag(
            run_id, "command", shlex.join(["lightning_cli", *redact_arguments(self.command)])
        )
        client.set_tag(run_id, "backbone", logger.default_name)
        for name, value in _code_version().items():
            client.set_tag(run_id, name, value)
        client.log_text(run_id, _environment(), "config/environment.txt")
        client.log_text(run_id, self._summary, "model/summary.txt")
        _log_data(client, run_id, _data_of(trainer), config)

    def _set_folder(self, trainer: Trainer, logger: RunLogger) -> None:
        folder = trainer.strategy.broadcast(
            str(logger.checkpoint_folder) if trainer.is_global_zero else ""
        )
        for checkpoint in self._placed:
            checkpoint.dirpath = folder

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the id of the run, the class names and the format of the images."""
        logger = run_logger_of(trainer)
        if logger is not None:
            checkpoint[RUN_ID] = logger.run_id
        data = _data_of(trainer)
        checkpoint[CLASS_NAMES] = list(data.class_names)
        checkpoint[IMAGE_SIZE], checkpoint[NUM_CHANNELS] = data.image_size, data.num_channels
        checkpoint[RESIZE] = data.resize

    def _resolved(self) -> dict[str, Any]:
        """The configuration with all defaults, which `fit` and `test` accept again."""
        config = yaml.safe_load(self.parser.dump(self.config, skip_none=False))
        config["ckpt_path"] = None  # a repetition starts from scratch
        return config

    def _log_config(
        self, client: Any, run_id: str | None, config: dict[str, Any], known: dict[str, str]
    ) -> None:
        client.log_text(run_id, yaml.safe_dump(config, sort_keys=False), "config/config.yaml")
        params = {key: value[:MAX_VALUE] for key, value in flatten(config).items()}
        # Parameters cannot change: a resumed run logs changed ones as tags.
        for key in params.keys() & known.keys():
            if params[key] != known[key]:
                client.set_tag(run_id, f"resumed_with.{key}", params[key])
        new = [Param(key, value) for key, value in params.items() if key not in known]
        for start in range(0, len(new), MAX_PARAMS):
            client.log_batch(run_id, params=new[start : start + MAX_PARAMS])


def run_logger_of(trainer: Trainer) -> RunLogger | None:
    """The run logger of a trainer; None if the user removed it."""
    return next((logger for logger in trainer.loggers if isinstance(logger, RunLogger)), None)


def _data_of(trainer: Trainer) -> ImageDataModule:
    data = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(data, ImageDataModule)
    return data


def _code_version() -> dict[str, str]:
    """Tags with the git commit of the code, and whether it has uncommitted changes."""

    def git(*arguments: str) -> str:
        here = ["git", "-C", str(Path(__file__).parent), *arguments]
        result = subprocess.run(here, capture_output=True, text=True, check=False)
        return result.stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
    except FileNotFoundError:  # git is not installed
        return {}
    if not commit:
        return {}
    changed = "yes" if git("status", "--porcelain") else "no"
    return {"mlflow.source.git.commit": commit, "git.uncommitted_changes": changed}


def _environment() -> str:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    metadata = (package.metadata for package in distributions())  # reads a file at every access
    packages = sorted({f"{of['Name']}=={of['Version']}" for of in metadata})
    return "\n".join([f"# Python {sys.version}", f"# {device}", *packages, ""])


def _log_data(
    client: Any, run_id: str | None, data: ImageDataModule, config: dict[str, Any]
) -> None:
    """Log digest and class counts of each split, and a list of the images of all splits.

    The list is a manifest, which `ManifestDataModule` reads.
    """
    inputs = []
    name = type(data).__name__.removesuffix("DataModule")
    for split, source in data.sources.items():
        labelled = source.labels[source.labels != UNLABELLED]
        counts = np.bincount(labelled, minlength=data.num_classes).tolist()
        profile = dict(zip(data.class_names, counts, strict=True))
        dataset = Dataset(
            name=f"{name}/{split}",
            digest=source.fingerprint(),
            source_type="local",
            source=json.dumps(config["data"])[:MAX_VALUE],
            profile=json.dumps({"num_images": len(source.labels), "class_counts": profile}),
        )
        inputs.append(DatasetInput(dataset, [InputTag("mlflow.data.context", split)]))
    client.log_inputs(run_id, inputs)
    names = {**dict(enumerate(data.class_names)), UNLABELLED: ""}
    rows = [
        (image, names[label], split, group)
        for split, source in data.sources.items()
        for image, label, group in zip(
            source.names, source.labels, source.groups or source.names, strict=True
        )
    ]
    table = pd.DataFrame(rows, columns=["image", "label", "split", "group"])
    if table["group"].equals(table["image"]):  # no image is a copy of another
        table = table.drop(columns="group")
    client.log_text(run_id, table.to_csv(index=False), "data/splits.csv")
