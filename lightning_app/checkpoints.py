"""Which checkpoint a user means, and which run it belongs to."""

import pickle
from pathlib import Path
from typing import Any

import torch

from lightning_app.tracking.store import ROOT

KEYWORDS = ("best", "last")


def find_checkpoint(wanted: str | Path, experiment: str, root: Path = ROOT) -> Path:
    """A file as it is; `best` or `last` is that of the experiment's newest run.

    Raises:
        ValueError: If there is no such file, or no run of the experiment left one.
    """
    if str(wanted) not in KEYWORDS:
        if Path(wanted).is_dir():
            raise ValueError(f"{wanted} is a folder; expected a file in it, best or last.")
        if not Path(wanted).is_file():
            raise ValueError(f"There is no checkpoint {wanted}; expected a file, best or last.")
        read_checkpoint(Path(wanted))  # raises before the parser reads it
        return Path(wanted)
    folder = root / "checkpoints" / experiment
    found = sorted(folder.glob(f"*/{wanted}.ckpt"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise ValueError(
            f"No run of the experiment {experiment!r} has left a checkpoint {wanted}.ckpt in "
            f"{folder}. Train one with `lightning_cli fit`, or name a file."
        )
    return found[-1]


def read_checkpoint(file: Path) -> dict[str, Any]:
    """What a checkpoint holds; its tensors stay on the disk until they are used.

    Raises:
        ValueError: If the file is no checkpoint of Lightning's.
    """
    try:
        content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except (EOFError, KeyError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise ValueError(f"{file} is damaged, or no checkpoint.") from error
    if not isinstance(content, dict) or "state_dict" not in content:
        raise ValueError(f"{file} is no checkpoint of a fit: it has no `state_dict`.")
    return content
