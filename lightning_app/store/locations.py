"""Locations of the MLflow store, its artifacts and checkpoints: one place for all commands."""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from filelock import FileLock

from lightning_app.store.drivers import check_artifacts, check_database
from lightning_app.store.moved_store import ARTIFACTS, DATABASE, heal_moved_store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

ORIGIN = "offline.run_id"  # tag of a run that was trained offline: its id there
ROOT = Path("mlruns")  # relative to where the command is started


def tracking_uri(root: Path = ROOT) -> str:
    """`MLFLOW_TRACKING_URI` if it is set, else the SQLite database below `root`.

    Raises:
        ValueError: If its driver is missing.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or local_uri(root)
    check_database(uri)
    return uri


def local_uri(root: Path = ROOT) -> str:
    """The SQLite database below `root`; if the folder has moved, its paths are updated first."""
    folder = root.resolve()
    heal_moved_store(folder)
    # Absolute: MLflow keeps one connection for each spelling of an address.
    return f"sqlite:///{folder / DATABASE}"


def spool_folder(root: Path, uri: str) -> Path:
    """Folder of the writes that wait for a server, with a folder for each run."""
    # One for each server: another one would refuse the writes for this one.
    return root / "spool" / hashlib.sha256(uri.encode()).hexdigest()[:8]


def is_local(uri: str) -> bool:
    """Whether the store is a database file on this machine, with its artifacts beside it."""
    return uri.startswith("sqlite:")


def checkpoint_folder(root: Path, experiment: str, run_id: str) -> Path:
    """Folder of the checkpoints of a run."""
    return root / "checkpoints" / experiment / run_id


def folder_of(root: Path, experiment: str, run: "Run") -> Path:
    """Folder of the checkpoints of a run, also of one that was trained offline."""
    return checkpoint_folder(root, experiment, run.data.tags.get(ORIGIN, run.info.run_id))


def store_lock(root: Path) -> FileLock:
    """Lock to hold while opening the store: two processes creating one database would break it."""
    return FileLock(root / ".store.lock")


def create_experiment(client: "MlflowClient", name: str, root: Path, uri: str) -> str:
    """Id of an experiment, which is created with our view of its runs if it does not exist.

    Raises:
        ValueError: If it was deleted, or its artifacts are where they cannot be written.
    """
    from lightning_app.store.deleted_runs import refuse_deleted_experiment  # imports MLflow

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        from lightning_app.store.ui_view import (  # imports torch: only a fit needs it
            TAG,
            view_state,
        )

        artifacts = str((root / ARTIFACTS).resolve()) if is_local(uri) else None
        # The first tag makes the UI open in its mode for trained models.
        tags = {"mlflow.experimentKind": "custom_model_development", TAG: view_state()}
        created = client.create_experiment(name, artifacts, tags)
        if not is_local(uri):
            check_artifacts(client.get_experiment(created))
        return created
    refuse_deleted_experiment(client, experiment)
    check_artifacts(experiment)
    return experiment.experiment_id


def artifact_location(run: "Run", name: str) -> str:
    """Where an artifact is, for messages: its file, relative if possible; on a server, its name."""
    address = urlparse(run.info.artifact_uri)
    if address.scheme not in ("", "file"):
        return f"{name} in the run {run.info.run_name}"
    file = Path(unquote(address.path)) / name
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
