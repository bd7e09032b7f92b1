"""Checkpoint checks: whether a command can continue with what a checkpoint holds."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer

from lightning_app.store.run_file import read_run_file, trains_elsewhere
from lightning_app.store.run_recorder import CLASS_NAMES


def check_classes(path: str, checkpoint: dict[str, Any], class_names: Sequence[str]) -> None:
    """Refuse a checkpoint that was trained on other classes than the data have.

    Raises:
        ValueError: If it names other classes, or the same in another order.
    """
    known, given = checkpoint.get(CLASS_NAMES), list(class_names)
    if known and known != given:
        more = ""
        if sorted(known) == sorted(given):
            more = (
                " These are the same classes in another order. To use the order of the checkpoint, "
                f"set --data.class_names '{json.dumps(known, ensure_ascii=False)}'."
            )
        elif set(given) < set(known):
            missing = [name for name in known if name not in given]
            more = (
                f" Without images: {', '.join(missing)}. The folder of --data.predict, from which "
                "images are only predicted, is no class."
            )
        raise ValueError(
            f"{path} was trained on the classes {', '.join(known)}; the data have "
            f"{', '.join(given)}.{more}"
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


def check_length(path: str, checkpoint: dict[str, Any], trainer: Trainer, finished: bool) -> None:
    """Refuse to resume a run that has all of its epochs or steps.

    Lightning would refuse more epochs than wanted, too, but within the fit: `last.ckpt` would be
    written again before, without the state of the optimizer.

    Args:
        path: File of the checkpoint, for the message.
        checkpoint: Its content.
        trainer: Its limits are those of the fit.
        finished: Whether the run has ended; else, what comes after the last step may be missing.

    Raises:
        ValueError: If there is nothing to train.
    """
    epochs = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    steps = checkpoint["global_step"]
    reached = (("epochs", epochs, trainer.max_epochs), ("steps", steps, trainer.max_steps))
    for unit, done, limit in reached:
        if limit is not None and limit >= 0 and (done > limit or (done == limit and finished)):
            raise ValueError(
                f"{path} has {done} {unit} already, but trainer.max_{unit} is {limit}; raise it to "
                "train on."
            )
