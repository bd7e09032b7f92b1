"""Checkpoint plugin of the Trainer: writes atomically, loads tensors and plain values only."""

import os
import re
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO

from datamodules.atomic_files import atomic_write
from lightning_app.store.full_disk import disk_full_is_an_error

LAST = "last.ckpt"


class AtomicCheckpointIO(CheckpointIO):
    """Writes checkpoints atomically, so that no kill and no full disk leaves a damaged one.

    Lightning's own plugin writes its temporary file in `TMPDIR`. On another file system the
    rename becomes a copy, and a kill during it destroys the previous checkpoint.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint to the disk, then replace the previous one.

        The one before `last.ckpt` is kept: disks and copies can damage a file later.

        Raises:
            ValueError: If the disk is full.
        """
        file = Path(path)
        _remove_unfinished(file)
        with disk_full_is_an_error(file), atomic_write(file) as unfinished:
            with unfinished.open("wb") as stream:
                torch.save(checkpoint, stream)
            if file.name == LAST:
                _keep_predecessor(file)

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Load tensors and plain values only: code in the file is never executed.

        Raises:
            ValueError: If there is no such file, or it is damaged.
        """
        if not Path(path).is_file():
            raise ValueError(f"There is no checkpoint {path}.")
        return read_tensors(Path(path), map_location or "cpu")

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint that is no longer among the best."""
        Path(path).unlink(missing_ok=True)


def predecessor(file: Path) -> Path:
    """Where the checkpoint before `last.ckpt` is kept, until the next one is complete."""
    return file.with_name(f"{file.stem}.previous{file.suffix}")


def _keep_predecessor(file: Path) -> None:
    if not file.is_file():
        return
    earlier = predecessor(file)
    earlier.unlink(missing_ok=True)
    try:
        os.link(file, earlier)  # without a moment in which there is no `last.ckpt`
    except OSError:  # a file system without hard links
        file.replace(earlier)


def _remove_unfinished(file: Path) -> None:
    """Remove what a killed process has left; only one process at a time writes a checkpoint."""
    for stale in file.parent.glob(f".{file.name}.*.tmp"):
        stale.unlink(missing_ok=True)


def read_tensors(file: Path, map_location: Any, mmap: bool = False) -> Any:
    """Read a file of `torch.save` that holds tensors and plain values.

    Args:
        file: The file.
        map_location: Device of the tensors; see `torch.load`.
        mmap: Whether tensors stay on the disk until they are used.

    Raises:
        ValueError: If it is damaged, or holds anything else, of which no code is run.
    """
    try:
        return torch.load(file, map_location=map_location, weights_only=True, mmap=mmap)
    except Exception as error:  # a flipped bit can raise any error in torch
        code = re.search(r"GLOBAL (\S+)", str(error))
        reason = f": it holds more than tensors and plain values, namely {code[1]}" if code else ""
        raise ValueError(f"{file} is damaged or not a checkpoint{reason}.") from error
