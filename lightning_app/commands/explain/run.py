"""The run that a checkpoint belongs to, as a place for what explains it."""

from mlflow import MlflowClient
from mlflow.entities import Run

from lightning_app.output.folder import Folder
from lightning_app.store.runs import find_run, open_store

ARTIFACTS = "explanations"


def open_run(run_id: str | None) -> tuple[MlflowClient, Run]:
    """The store, and the run in it.

    Raises:
        ValueError: If the checkpoint names no run, or the store has none of that id.
    """
    if run_id is None:
        raise ValueError("--log: the checkpoint does not say which run it belongs to.")
    client = open_store()
    return client, find_run(client, run_id)


def log_files(client: MlflowClient, run: Run, folder: Folder) -> None:
    """Copy what was written into the run, below `explanations/`."""
    for file in folder.written:
        below = (ARTIFACTS, *file.parent.parts)
        client.log_artifact(run.info.run_id, str(folder.path / file), "/".join(below))
