"""Runs by their folders of checkpoints, the newest first: those that a user started here."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from lightning_app.store.locations import ROOT, is_local, tracking_uri
from lightning_app.store.run_file import RunFile, read_run_file


class RunFolder(NamedTuple):
    """Folder of the checkpoints of a run.

    Attributes:
        path: The folder; its name is the id of the run.
        started: When the run was started, in seconds since 1970; in earlier versions, its last
            checkpoint.
        file: What is known of the run without its store; None in earlier versions.
    """

    path: Path
    started: float
    file: RunFile | None

    @property
    def name(self) -> str:
        """Name of the run, or its id."""
        return self.file.name if self.file else self.path.name


def newest_own_runs(experiment: str | None = None, root: Path = ROOT) -> Iterator[RunFolder]:
    """Folders of the runs that a user started, the newest first; no child runs.

    Whether a run of an earlier version is a child run is asked when its turn comes: a search may
    have thousands.

    Args:
        experiment: Name of their experiment; None for all.
        root: Folder of the store.
    """
    folders = root / "checkpoints"
    among = folders / experiment if experiment else folders
    paths = among.glob("*" if experiment else "*/*")
    found = [run for path in paths if path.is_dir() and (run := _run_folder(path))]
    client: MlflowClient | None = None
    for run in sorted(found, key=lambda run: run.started, reverse=True):
        if run.file is None and client is None and _has_store(root):
            client = MlflowClient(tracking_uri(root))
        if not (run.file.is_child if run.file else _is_child(client, run.path.name)):
            yield run


def _run_folder(path: Path) -> RunFolder | None:
    """A folder with a run; None if it holds neither a run file nor a checkpoint."""
    if file := read_run_file(path):
        return RunFolder(path, file.started, file)
    checkpoints = [checkpoint.stat().st_mtime for checkpoint in path.glob("*.ckpt")]
    return RunFolder(path, max(checkpoints), None) if checkpoints else None


def _is_child(client: MlflowClient | None, run_id: str) -> bool:
    if client is None:
        return False
    try:
        return MLFLOW_PARENT_RUN_ID in client.get_run(run_id).data.tags
    except MlflowException:  # of another store
        return False


def _has_store(root: Path) -> bool:
    return not is_local(tracking_uri(root)) or (root / "mlflow.db").is_file()
