"""What makes the CPU wait for a GPU: numbers that are read, shapes that depend on the data."""

from contextlib import contextmanager
from pathlib import Path

import torch
from lightning.pytorch.loops.evaluation_loop import _EvaluationLoop
from lightning.pytorch.loops.training_epoch_loop import _TrainingEpochLoop
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from callbacks import FiniteCheck
from callbacks.finite_check import EVERY
from lightning_app.cli.training_commands import run

CONFIG = Path(__file__).parents[2] / "configs" / "digits.yaml"
SMALL = ["--data.image_size=8", "--model.backbone.width=4", "--trainer.accelerator=cpu"]
SHORT = [
    "--trainer.max_epochs=1",
    "--trainer.limit_train_batches=14",
    "--report=false",
    "--pictures.budget=0",
]
SHAPES = ("_local_scalar_dense", "nonzero", "masked_select", "bincount", "_unique2", "equal")
COPIES = ("tolist", "cpu", "numpy")


class Shapes(TorchDispatchMode):
    """Operations whose result the CPU has to know: numbers, and shapes that depend on the data."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        masks = args[1] if name in ("index", "index_put", "index_put_") else ()
        if name in SHAPES or any(mask is not None and mask.dtype == torch.bool for mask in masks):
            self.found.append(name)
        return function(*args, **(kwargs or {}))


class Copies(TorchFunctionMode):
    """Methods that copy a tensor to the CPU, which on a CPU are no operations."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__name__", "") in COPIES:
            self.found.append(function.__name__)
        return function(*args, **(kwargs or {}))


@contextmanager
def waits():
    """A list, with the names of the operations for which a CPU would wait for a GPU at the end."""
    found = []
    with Shapes() as shapes, Copies() as copies:
        yield found
    found += [*shapes.found, *copies.found]


def watch(monkeypatch, loop, method):
    """Collect the waits of each call of a method."""
    calls = []
    original = getattr(loop, method)

    def call(self, *args, **kwargs):
        with waits() as found:
            result = original(self, *args, **kwargs)
        calls.append(found)
        return result

    monkeypatch.setattr(loop, method, call)
    return calls


def test_mode_sees_what_waits():
    numbers = torch.arange(3)
    with waits() as found:
        numbers.sum().item()
        bool(numbers[0] == 0)
        numbers[numbers > 0]
        torch.bincount(numbers)
        numbers[numbers]
        numbers.tolist()
    scalars = ["_local_scalar_dense"] * 2
    assert found == [*scalars, "index", "bincount", "tolist"]


def test_steps_wait_for_the_device_only_where_the_loss_is_logged_or_checked(workplace, monkeypatch):
    steps = watch(monkeypatch, _TrainingEpochLoop, "advance")
    validated = watch(monkeypatch, _EvaluationLoop, "_evaluation_step")
    monkeypatch.setattr(FiniteCheck, "_is_due", lambda self, _: len(self._steps) >= EVERY)  # a GPU
    run(["fit", "--config", str(CONFIG), *SMALL, *SHORT, "--trainer.log_every_n_steps=10"])
    assert len(steps) == 14
    assert [number for number, calls in enumerate(steps) if calls] == [0, 9, 10]
    assert len(validated) > 5
    assert not any(validated)
