"""Where runs are kept: one place decides for the logger, the commands and the UI."""

import os
from pathlib import Path

ROOT = Path("mlruns")  # relative to where the command is started


def tracking_uri(root: Path = ROOT) -> str:
    """`MLFLOW_TRACKING_URI` if it is set, else the SQLite database below `root`."""
    # Absolute, since MLflow keeps one connection for each spelling of an address.
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.resolve() / 'mlflow.db'}"


def is_local(uri: str) -> bool:
    """Whether the store is a file of this machine, and artifacts belong beside it."""
    return uri.startswith("sqlite:")


def checkpoint_folder(root: Path, experiment: str, run_id: str) -> Path:
    """Where the checkpoints of a run lie."""
    return root / "checkpoints" / experiment / run_id
