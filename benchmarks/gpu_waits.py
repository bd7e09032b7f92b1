"""Waits for the GPU in training steps and validations of a fit."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import yaml
from gpu_fit import fit
from gpu_machine import Settings
from lightning.pytorch.loops.evaluation_loop import _EvaluationLoop
from lightning.pytorch.loops.training_epoch_loop import _TrainingEpochLoop

from callbacks.finite_check import EVERY

CONFIG = Path(__file__).parents[1] / "configs" / "digits.yaml"
MESSAGE = "called a synchronizing CUDA operation"
KNOWN = (0, EVERY - 1)  # of EVERY steps: the loss is logged, and the last steps are checked
SHOWN = 4  # places that a row names


def waits(settings: Settings) -> Iterator[dict[str, Any]]:
    """A row for training steps, and one for batches of a validation; other waits have to be 0."""
    settings.require_gpu()
    config = yaml.safe_load(CONFIG.read_text())
    trainer = {"precision": "bf16-mixed", "log_every_n_steps": EVERY}
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with (
            recorded(_TrainingEpochLoop, "advance") as steps,
            recorded(_EvaluationLoop, "_evaluation_step") as batches,
        ):
            fit(config | {"trainer": trainer}, settings)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    yield row_of("training step", steps, KNOWN)
    yield row_of("validation batch", batches, ())


@contextmanager
def recorded(loop: type, method: str) -> Iterator[list[list[str]]]:
    """Places in the code that waited, for each call of a method inside the block."""
    calls: list[list[str]] = []
    original: Callable[..., Any] = getattr(loop, method)

    def call(*args: Any, **kwargs: Any) -> Any:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                return original(*args, **kwargs)
            finally:
                calls.append([place_of(each) for each in caught if MESSAGE in str(each.message)])

    setattr(loop, method, call)
    try:
        yield calls
    finally:
        setattr(loop, method, original)


def place_of(warning: warnings.WarningMessage) -> str:
    """File and line, without the folders that all have in common."""
    return f"{'/'.join(Path(warning.filename).parts[-2:])}:{warning.lineno}"


def row_of(what: str, calls: list[list[str]], known: tuple[int, ...]) -> dict[str, Any]:
    """How many calls waited where it is known, and where it is not, with the places of these.

    Args:
        what: What a call is.
        calls: Places that waited, for each call.
        known: Which calls of `EVERY` may wait.
    """
    expected = [places for number, places in enumerate(calls) if number % EVERY in known]
    others = [places for number, places in enumerate(calls) if number % EVERY not in known]
    counts = Counter(place for places in others for place in places).most_common(SHOWN)
    return {
        "what": what,
        "number": len(calls),
        "that wait, known": sum(map(bool, expected)),
        "that wait, others": sum(map(bool, others)),
        "places of others": ", ".join(f"{place} ({count} times)" for place, count in counts),
    }
