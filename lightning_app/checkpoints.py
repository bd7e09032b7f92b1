"""Which checkpoint a user means, and which run it belongs to."""

from pathlib import Path

import torch

from lightning_app.tracking.run_record import RUN_ID
from lightning_app.tracking.store import ROOT

KEYWORDS = ("best", "last")


def find_checkpoint(wanted: str | Path, experiment: str, root: Path = ROOT) -> Path:
    """A file as it is; `best` or `last` is that of the experiment's newest run.

    Raises:
        ValueError: If there is no such file, or no run of the experiment left one.
    """
    if str(wanted) not in KEYWORDS:
        if not Path(wanted).is_file():
            raise ValueError(f"There is no checkpoint {wanted}; expected a file, best or last.")
        return Path(wanted)
    folder = root / "checkpoints" / experiment
    found = sorted(folder.glob(f"*/{wanted}.ckpt"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise ValueError(
            f"No run of the experiment {experiment!r} has left a checkpoint {wanted}.ckpt in "
            f"{folder}. Train one with `lightning_cli fit`, or name a file."
        )
    return found[-1]


def run_id_of(checkpoint: Path) -> str | None:
    """The MLflow run that wrote a checkpoint; None if it was written without."""
    return torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True).get(RUN_ID)
