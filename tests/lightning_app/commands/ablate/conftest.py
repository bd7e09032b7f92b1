"""A small base to vary, and child runs that need no training."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput
from mlflow.environment_variables import MLFLOW_RUN_CONTEXT

from lightning_app.cli.child_runs.checks import RunSettings
from lightning_app.cli.child_runs.runner import Runner
from lightning_app.commands.ablate import ablate
from lightning_app.store.locations import ROOT, checkpoint_folder
from lightning_app.store.run_logger import RunLogger

CLASSES = ("rows", "columns", "checks", "full")


@pytest.fixture
def base(workplace, small_config):
    """The base in a file."""
    config = small_config("parts", num_workers=0)
    optimizer = {"class_path": "torch.optim.AdamW", "init_args": {"lr": 3e-3}}
    config["model"]["init_args"]["optimizer"] = optimizer
    file = workplace / "base.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.fixture
def write_plan(base):
    """Write the file of an ablation of the base."""

    def write(**plan):
        file = base.with_name("parts.yaml")
        file.write_text(yaml.safe_dump({"base": "base.yaml", **plan}, sort_keys=False))
        return file

    return write


@pytest.fixture
def family(client):
    """The parent run and its child runs, by variation."""

    def find():
        [experiment] = [e for e in client.search_experiments() if e.name == "parts"]
        runs = client.search_runs([experiment.experiment_id])
        [parent] = [run for run in runs if "ablation" in run.data.tags]
        children = [r for r in runs if r.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
        return parent, {run.data.tags["variation"]: run for run in children}

    return find


@pytest.fixture
def untrained_runs(monkeypatch):
    """Child runs leave what commands would leave, unchecked and untrained; returns the commands."""
    commands = []
    settings = RunSettings("parts", ROOT, "val/accuracy", "max")

    def start(self, command, child, more, environment, log):
        commands.append((command, child.name))
        arguments = dict(
            a[2:].split("=", 1) for a in child.arguments if a.startswith("--") and "=" in a
        )
        if command == "fit":
            with monkeypatch.context() as patch:
                patch.setenv(MLFLOW_RUN_CONTEXT.name, environment[MLFLOW_RUN_CONTEXT.name])
                leave_fit(arguments, child.key)
        else:
            run_id = self.parent.find(child).info.run_id
            split = {"test": "test", "validate": "val"}[command]
            leave_predictions(self.parent.client, run_id, split, child.key)

    monkeypatch.setattr(ablate, "check_runs", lambda children, split: settings)
    monkeypatch.setattr(Runner, "_start", start)
    return commands


def leave_fit(arguments, key):
    """Leave a finished run with parameters, metrics and checkpoints."""
    logger = RunLogger("parts")
    client = MlflowClient(logger.uri)
    run_id = logger.run_id
    for name, value in arguments.items():
        client.log_param(run_id, name, value)
    client.log_metric(run_id, "val/accuracy", int(key, 16) % 1000 / 1000)
    client.log_metric(run_id, "params/total", 12)
    profile = json.dumps({"num_images": 4, "class_counts": dict.fromkeys(CLASSES, 1)})
    client.log_inputs(
        run_id, [DatasetInput(Dataset("Hand/train", "0", "local", "", profile=profile))]
    )
    folder = checkpoint_folder(logger.root, "parts", run_id)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("best", "last"):
        (folder / f"{name}.ckpt").touch()
    logger.finalize()


def leave_predictions(client, run_id, split, key):
    """Leave predictions of sixteen images, drawn at random by the key of the run."""
    rng = np.random.default_rng(int(key, 16))
    table = {"image": range(16), "label": CLASSES * 4, "predicted": rng.choice(CLASSES, 16)}
    text = pd.DataFrame({**table, "confidence": 0.5}).to_csv(index=False)
    client.log_text(run_id, text, f"predictions/{split}.csv")
