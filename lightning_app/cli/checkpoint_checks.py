"""Checkpoint checks: whether a command can continue with what a checkpoint holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning_app.store.run_file import read_run_file, trains_elsewhere
from lightning_app.store.run_recorder import CLASS_NAMES


def check_classes(path: str, checkpoint: dict[str, Any], class_names: Sequence[str]) -> None:
    """Refuse a checkpoint that was trained on other classes than the data have.

    Raises:
        ValueError: If it names other classes, or the same in another order.
    """
    known, given = checkpoint.get(CLASS_NAMES), list(class_names)
    if known and known != given:
        raise ValueError(
            f"{path} was trained on the classes {', '.join(known)}; the data have "
            f"{', '.join(given)}."
        )


def check_is_free(path: str) -> None:
    """Refuse to resume a run that another process is training.

    Raises:
        ValueError: If there is such a process.
    """
    folder = Path(path).parent
    if trains_elsewhere(folder) and (run := read_run_file(folder)) is not None:
        raise ValueError(
            f"The run {run.name} is being trained by process {run.process} on {run.host}; wait for "
            "its end, or stop it."
        )


def check_epochs(path: str, checkpoint: dict[str, Any], max_epochs: int | None) -> None:
    """Refuse to resume a run that has more epochs than wanted.

    Lightning would refuse it, too, but within the fit: `last.ckpt` would be written again before,
    without the state of the optimizer.

    Raises:
        ValueError: If it does.
    """
    done = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    if max_epochs is not None and 0 <= max_epochs < done:
        raise ValueError(
            f"{path} has {done} epochs already, but trainer.max_epochs is {max_epochs}; raise it "
            "to train on."
        )
