"""Explanations as artifacts of the run that trained the network."""

from mlflow import MlflowClient
from mlflow.entities import Run

from lightning_app.output.folder import Folder
from lightning_app.store.runs import find_run, open_store

ARTIFACTS = "explanations"


def open_run(run_id: str | None) -> tuple[MlflowClient, Run]:
    """Open the store and find the run.

    Raises:
        ValueError: If the checkpoint names no run, or the store does not have it.
    """
    if run_id is None:
        raise ValueError("--log: the checkpoint does not name the run that trained it.")
    client = open_store()
    return client, find_run(client, run_id)


def log_files(client: MlflowClient, run: Run, folder: Folder) -> None:
    """Copy the files of the folder to the run, below `explanations/`."""
    for file in folder.written:
        below = (ARTIFACTS, *file.parent.parts)
        client.log_artifact(run.info.run_id, str(folder.path / file), "/".join(below))
