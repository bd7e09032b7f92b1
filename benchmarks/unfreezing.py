"""What does it cost to train a part of a network, and what holds when the rest is freed?

    uv run python benchmarks/unfreezing.py

Ours beside Lightning's `BackboneFinetuning` and the package `finetuning-scheduler`, which only this
benchmark needs; both get the optimizer that they document, of what trains at first. Cost: resnet18
of timm, batches of 16, fits of a few steps by turns; milliseconds of a training step (CPU time of
one thread; time of the clock on a GPU), the median over all steps of all rounds, and what the graph
keeps for the backward pass, parameters and buffers excluded (on a GPU the peak of allocated
memory). Ratios are to the full step; the aim for the head alone is 0.37 of the time. Facts: each
tool trains a tiny network on the CPU and frees it in the third of four epochs.
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
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from unfreezing_facts import FACTS, answer
from unfreezing_tools import TOOLS, Tool, classifier_for, ours, scheduler

from callbacks import ProgressiveUnfreezing
from datamodules import SyntheticDataModule
from models import TimmBackbone
from models.freezing import stage_names

IMAGE_SIZE, BATCH_SIZE, STEPS, ROUNDS = 64, 16, 8, 3
WARM_UP = 2  # steps of a fit that are not timed
OTHER = "finetuning-scheduler"
ON_GPU = torch.cuda.is_available()


class Meter(Callback):
    """Times the steps of a fit; the last it weighs."""

    def __init__(self) -> None:
        self.marks: list[float] = []
        self.kept: dict[int, int] = {}  # bytes of each storage, by its address
        self.hooks = ExitStack()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Read the clock, or begin to weigh."""
        self.marks.append(now())
        if batch_idx < STEPS - 1:
            return
        own = {value.untyped_storage().data_ptr() for value in pl_module.state_dict().values()}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                self.kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        self.hooks.enter_context(saved_tensors_hooks(keep, lambda tensor: tensor))

    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        """The graph is complete."""
        self.hooks.close()

    @property
    def step_ms(self) -> list[float]:
        """Milliseconds of each step."""
        marks = self.marks[WARM_UP:]
        return [1e3 * (end - start) for start, end in pairwise(marks)]


def now() -> float:
    """Seconds, of the CPU if the work is done there."""
    if ON_GPU:
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def measure(tool: Tool, boundary: str, folder: Path) -> tuple[list[float], int]:
    """Train a few steps: milliseconds of each, and bytes kept for the backward pass."""
    seed_everything(0, verbose=False)
    classifier = classifier_for(tool, TimmBackbone("resnet18"))
    names = stage_names(classifier)
    boundary = {"half": names[len(names) // 2]}.get(boundary, boundary)
    freezing = ProgressiveUnfreezing({0: boundary}) if tool is ours else tool(classifier, 4)
    meter = Meter()
    trainer = Trainer(
        accelerator="gpu" if ON_GPU else "cpu",
        devices=1,
        max_epochs=1,
        max_steps=STEPS,  # the one that `finetuning-scheduler` does not override
        limit_train_batches=STEPS,
        limit_val_batches=0,
        callbacks=[freezing, meter],
        logger=False,
        enable_checkpointing=tool is scheduler,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
    )
    data = SyntheticDataModule(400, IMAGE_SIZE, num_channels=3, batch_size=BATCH_SIZE)
    if ON_GPU:
        torch.cuda.reset_peak_memory_stats()
    trainer.fit(classifier, data)
    kept = torch.cuda.max_memory_allocated() if ON_GPU else sum(meter.kept.values())
    return meter.step_ms, kept


def print_cost(tools: dict[str, Tool], folder: Path) -> None:
    """A row a tool and what it trains."""
    rows = [("ours", what) for what in ("all", "half", "head")]
    rows += [(name, "head") for name in tools if name != "ours"]
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    kept: dict[tuple[str, str], int] = {}
    for _ in range(ROUNDS):
        for row in rows:
            steps, kept[row] = measure(tools[row[0]], row[1], folder)
            times[row] += steps
    full = rows[0]
    print(f"{'tool':22} {'trains':6}  ms/step  ratio  MB kept  ratio")
    for row in rows:
        step, ratio = median(times[row]), median(times[row]) / median(times[full])
        share = kept[row] / kept[full]
        cells = f"{step:7.1f}  {ratio:5.2f}  {kept[row] / 1e6:7.2f}  {share:5.3f}"
        print(f"{row[0]:22} {row[1]:6}  {cells}")


def print_facts(tools: dict[str, Tool], folder: Path) -> None:
    """A row a fact; errors below, by number."""
    print(f"{'fact':44}  {'  '.join(f'{name:20}' for name in tools)}".rstrip())
    errors: list[str] = []
    for number, (title, fact) in enumerate(FACTS.items()):
        cells = []
        for name, tool in tools.items():
            place = folder / f"{name}{number}"
            place.mkdir()
            cells.append(answer(fact, tool, place))
            if cells[-1].startswith("error"):
                errors.append(f"[{len(errors) + 1}] {cells[-1]}")
                cells[-1] = f"error [{len(errors)}]"
        print(f"{title:44}  {'  '.join(f'{cell:20}' for cell in cells)}".rstrip(), flush=True)
    print(*errors, sep="\n")


def main() -> None:
    """Print both tables, the facts first: no process forks after work on a GPU."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    tools = dict(TOOLS)
    if find_spec("finetuning_scheduler") is None:
        print(f"{OTHER} is not installed: uv pip install {OTHER}\n")
        del tools[OTHER]
    else:
        print(f"{OTHER} {version(OTHER)}, lightning {version('lightning')}\n")
    with tempfile.TemporaryDirectory() as folder:
        print_facts(tools, Path(folder))
        print()
        print_cost(tools, Path(folder))


if __name__ == "__main__":
    main()
