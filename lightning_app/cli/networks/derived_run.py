"""Run whose network is made of the networks of other runs: an ensemble, or a soup."""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Run
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME

from datamodules.atomic_files import atomic_write
from lightning_app.cli.recorded_data import CONFIG
from lightning_app.cli.seen_images import SPLITS_FILE
from lightning_app.store.checkpoints import read_checkpoint
from lightning_app.store.describe_run import MEMBERS
from lightning_app.store.locations import ROOT, folder_of
from lightning_app.store.recorded_settings import log_settings
from lightning_app.store.run_recorder import (
    CLASS_NAMES,
    IMAGE_SIZE,
    NUM_CHANNELS,
    RESIZE,
    RUN_ID,
    RUN_NAME,
)
from lightning_app.store.runs import name_with_id
from lightning_app.store.stored_run import open_stored_run

ENVIRONMENT = "config/environment.txt"
KEPT = (CLASS_NAMES, IMAGE_SIZE, NUM_CHANNELS, RESIZE, "pytorch-lightning_version", "hparams_name")


def derived_checkpoint(
    first: Mapping[str, Any], settings: dict[str, Any], state: dict[str, Any], members: list[str]
) -> dict[str, Any]:
    """A checkpoint that every command takes but `fit`: it has weights, and nothing to train with.

    Args:
        first: The checkpoint whose classes and image format it has.
        settings: Settings of the classifier.
        state: Its weights.
        members: The runs that it was made of.
    """
    kept = {key: first[key] for key in KEPT if key in first}
    new = {"epoch": 0, "global_step": 0, "hyper_parameters": settings, "state_dict": state}
    return kept | new | {MEMBERS: members}


def create_derived_run(client: MlflowClient, name: str, first: Run) -> Run:
    """Create a run for a network that is made of others, in the experiment of the first."""
    return client.create_run(first.info.experiment_id, tags={MLFLOW_RUN_NAME: name})


def key_of(parts: Sequence[str]) -> str:
    """Digest of what a network is made of, in any order."""
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:16]


def record_derived(
    client: MlflowClient,
    run: Run,
    members: Sequence[Run],
    checkpoint: dict[str, Any],
    root: Path = ROOT,
) -> Path:
    """Store the checkpoint of a derived run, and what its commands need to know of its data.

    The configuration is that of the first member. The images that one of the members was trained
    on are its training images, so that no command scores it on them.

    Args:
        client: The store.
        run: The run.
        members: The runs that it is made of.
        checkpoint: Its checkpoint.
        root: Folder of the store.

    Returns:
        The file of the checkpoint.
    """
    run_id = run.info.run_id
    with open_stored_run(client, members[0]) as record:
        config = yaml.safe_load(record.text(CONFIG)) or {}
        log_settings(client, run_id, config, resumed=True)
        client.log_text(run_id, record.text(ENVIRONMENT), ENVIRONMENT)
    splits = splits_of_runs(client, members)
    client.log_text(run_id, splits.to_csv(index=False), SPLITS_FILE)
    client.log_inputs(run_id, list(_inputs(members[0], splits, checkpoint[CLASS_NAMES])))
    client.set_tag(run_id, MEMBERS, ", ".join(map(name_with_id, members)))
    client.set_tag(run_id, "backbone", members[0].data.tags.get("backbone", ""))
    experiment = client.get_experiment(run.info.experiment_id).name
    file = folder_of(root, experiment, run) / "best.ckpt"
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as unfinished:
        torch.save({**checkpoint, RUN_ID: run_id, RUN_NAME: run.info.run_name}, unfinished)
    return file


def splits_of_runs(client: MlflowClient, runs: Sequence[Run]) -> pd.DataFrame:
    """The images of several runs; see `merged_splits`."""
    tables = []
    for run in runs:
        with open_stored_run(client, run) as record:
            tables.append(_splits(record.content(SPLITS_FILE)))
    return merged_splits(tables)


def merged_splits(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The images of several runs; one that a run was trained on is a training image.

    Args:
        tables: Columns image, label, split, and perhaps group, of each run.
    """
    rows = pd.concat(tables)
    trained: Any = rows.loc[rows["split"] == "train", "image"]
    merged = rows.drop_duplicates("image").copy()
    merged.loc[merged["image"].isin(trained), "split"] = "train"
    return merged


def refuse_training(file: Path) -> None:
    """Refuse to train a derived network.

    Raises:
        ValueError: If the checkpoint is one.
    """
    if members := read_checkpoint(file).get(MEMBERS):
        raise ValueError(
            f"{file} was made of the networks of {', '.join(members)}, so there is no training to "
            "resume. Resume that of one of them."
        )


def _splits(content: bytes) -> pd.DataFrame:
    types: Any = dict.fromkeys(("image", "label", "split", "group"), str)
    columns = pd.DataFrame(columns=["image", "label", "split"], dtype=str)
    if not content:  # a run of an earlier version
        return columns
    return pd.read_csv(io.BytesIO(content), dtype=types, keep_default_na=False)


def _inputs(first: Run, splits: pd.DataFrame, class_names: Sequence[str]) -> Iterator[DatasetInput]:
    """The images of each split as MLflow records them: number, classes and digest."""
    known = {
        each.dataset.name.rsplit("/", 1)[-1]: each.dataset
        for each in (first.inputs.dataset_inputs if first.inputs else [])
    }
    source = next(iter(known.values()), None)
    for split in splits["split"].unique().tolist():
        rows: Any = splits[splits["split"] == split]
        counts = rows["label"].value_counts()
        profile = {name: int(counts.get(name, 0)) for name in class_names}
        content = {"num_images": len(rows), "class_counts": profile}
        digest = hashlib.sha256(rows[["image", "label"]].to_csv().encode()).hexdigest()[:32]
        same = split in known and json.loads(known[split].profile or "{}") == content
        dataset = Dataset(
            name=f"{source.name.rsplit('/', 1)[0] if source else 'Images'}/{split}",
            digest=known[split].digest if same and split != "train" else digest,
            source_type="local",
            source=source.source if source else "{}",
            profile=json.dumps(content),
        )
        yield DatasetInput(dataset, [InputTag("mlflow.data.context", split)])
