"""Checkpoints that are either whole or not there."""

import os
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO


class AtomicCheckpointIO(CheckpointIO):
    """Writes beside the target and renames, so that no kill and no full disk leaves a torn file.

    Lightning's own writes its temporary file in `TMPDIR`; on another file system the rename
    becomes a copy, and a kill during it destroys the previous checkpoint.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write, make sure that it is on the disk, then replace what was there."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with unfinished.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read tensors and plain values only, whatever the file holds.

        Raises:
            ValueError: If there is no such file.
        """
        if not Path(path).is_file():
            raise ValueError(f"There is no checkpoint {path}.")
        return torch.load(path, map_location=map_location or "cpu", weights_only=True)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint that is no longer among the best."""
        Path(path).unlink(missing_ok=True)
