"""Unfreezing callbacks compared: cost of a training step, and checks of what they do correctly.

    uv run python benchmarks/unfreezing.py

ProgressiveUnfreezing of this project, Lightning's `BackboneFinetuning`, and the package
finetuning-scheduler, which only this benchmark needs. The optimizers of the other two get only the
parameters that train at first, as their documentation asks for.

- Checks: each callback trains a tiny network on the CPU, first its head alone, and from the third
  of four epochs on everything.
- Cost: timm's resnet18, batches of 16, short fits that alternate. A step is measured in
  milliseconds of CPU time on one thread, or of wall time on a GPU: the median over all steps of all
  rounds. Memory is what the graph keeps for the backward pass, without parameters and buffers; on a
  GPU it is the peak of the allocated memory. Ratios are relative to a step that trains everything;
  the target for the head alone is 0.37 of the time.
"""

import logging
import tempfile
import time
import warnings
from collections import defaultdict
from contextlib import ExitStack
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from results import Row, options_of, table
from rounds import write_json
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from unfreezing_callbacks import (
    CALLBACKS,
    MakeCallback,
    finetuning_scheduler,
    make_classifier,
    progressive_unfreezing,
)
from unfreezing_checks import CHECKS, run_check

from callbacks import ProgressiveUnfreezing
from datamodules import SyntheticDataModule
from models import TimmBackbone
from models.freezing import stage_names

QUICK: list[str] = []
IMAGE_SIZE, BATCH_SIZE, STEPS, ROUNDS = 64, 16, 8, 3
WARM_UP = 2  # steps of a fit that are not timed
OWN, OPTIONAL = "ProgressiveUnfreezing", "finetuning-scheduler"
ON_GPU = torch.cuda.is_available()


class StepMeter(Callback):
    """Measures the time of each training step, and the memory that the last one keeps."""

    def __init__(self) -> None:
        self.marks: list[float] = []
        self.kept_bytes: dict[int, int] = {}  # by address of the storage
        self.hooks = ExitStack()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Read the clock; in the last step also watch what the graph keeps."""
        self.marks.append(now())
        if batch_idx < STEPS - 1:
            return
        own = {value.untyped_storage().data_ptr() for value in pl_module.state_dict().values()}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                self.kept_bytes[storage.data_ptr()] = storage.nbytes()
            return tensor

        self.hooks.enter_context(saved_tensors_hooks(keep, lambda tensor: tensor))

    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        """Stop watching: the graph is complete."""
        self.hooks.close()

    @property
    def step_ms(self) -> list[float]:
        """Milliseconds of each step after the warm-up."""
        marks = self.marks[WARM_UP:]
        return [1e3 * (end - start) for start, end in pairwise(marks)]


def now() -> float:
    """CPU seconds, or wall seconds on a GPU once it has finished its work."""
    if ON_GPU:
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def measure(make_callback: MakeCallback, boundary: str, folder: Path) -> tuple[list[float], int]:
    """Milliseconds of each step of a short fit, and bytes kept for the backward pass.

    Args:
        make_callback: Makes the unfreezing callback.
        boundary: What ProgressiveUnfreezing trains: `all`, `half` of the stages, or `head`. The
            other callbacks train the head.
        folder: For files of the trainer.
    """
    seed_everything(0, verbose=False)
    classifier = make_classifier(make_callback, TimmBackbone("resnet18"))
    names = stage_names(classifier)
    boundary = {"half": names[len(names) // 2]}.get(boundary, boundary)
    own = make_callback is progressive_unfreezing
    callback = ProgressiveUnfreezing({0: boundary}) if own else make_callback(classifier, 4)
    meter = StepMeter()
    trainer = Trainer(
        accelerator="gpu" if ON_GPU else "cpu",
        devices=1,
        max_epochs=1,
        max_steps=STEPS,  # finetuning-scheduler overrides max_epochs
        limit_train_batches=STEPS,
        limit_val_batches=0,
        callbacks=[callback, meter],
        logger=False,
        enable_checkpointing=make_callback is finetuning_scheduler,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
    )
    data = SyntheticDataModule(400, IMAGE_SIZE, num_channels=3, batch_size=BATCH_SIZE)
    if ON_GPU:
        torch.cuda.reset_peak_memory_stats()
    trainer.fit(classifier, data)
    kept = torch.cuda.max_memory_allocated() if ON_GPU else sum(meter.kept_bytes.values())
    return meter.step_ms, kept


def costs(callbacks: dict[str, MakeCallback], folder: Path) -> list[Row]:
    """One row per callback and part of the network that trains."""
    kinds = [(OWN, part) for part in ("all", "half", "head")]
    kinds += [(name, "head") for name in callbacks if name != OWN]
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    kept: dict[tuple[str, str], int] = {}
    for _ in range(ROUNDS):
        for kind in kinds:
            steps, kept[kind] = measure(callbacks[kind[0]], kind[1], folder)
            times[kind] += steps
    step, full = {kind: median(values) for kind, values in times.items()}, kinds[0]
    return [
        {"callback": kind[0], "trains": kind[1], "ms/step": step[kind]}
        | {"ratio": step[kind] / step[full], "MB kept": kept[kind] / 1e6}
        | {"of all": kept[kind] / kept[full]}
        for kind in kinds
    ]


def checks(callbacks: dict[str, MakeCallback], folder: Path) -> list[Row]:
    """One row per check; errors are numbered, and printed below."""
    rows, errors = list[Row](), list[str]()
    for number, (title, check) in enumerate(CHECKS.items()):
        cells = {}
        for name, make_callback in callbacks.items():
            own_folder = folder / f"{name}{number}"
            own_folder.mkdir()
            cells[name] = run_check(check, make_callback, own_folder)
            if cells[name].startswith("error"):
                errors.append(f"[{len(errors) + 1}] {cells[name]}")
                cells[name] = f"error [{len(errors)}]"
        rows.append({"check": title, **cells})
    print(table(rows), *errors, "", sep="\n", flush=True)
    return rows


def main() -> None:
    """Print both tables, the checks first: processes cannot be forked after work on a GPU."""
    options = options_of(__doc__).parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    callbacks = dict(CALLBACKS)
    if find_spec("finetuning_scheduler") is None:
        print(f"{OPTIONAL} is not installed. To include it: uv pip install {OPTIONAL}\n")
        del callbacks[OPTIONAL]
    else:
        print(f"{OPTIONAL} {version(OPTIONAL)}, lightning {version('lightning')}\n")
    with tempfile.TemporaryDirectory() as folder:
        kinds = {"checks": checks, "cost": costs}
        found = {name: kind(callbacks, Path(folder)) for name, kind in kinds.items()}
    print(table(found["cost"]))
    write_json("unfreezing", found, options.out)


if __name__ == "__main__":
    main()
