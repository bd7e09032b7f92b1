"""What does a training step of `lightning_cli fit` cost beyond a bare PyTorch loop?

    uv run python benchmarks/overhead.py

Trains the digits by the command line, pictures off: Trainer, progress bar, RunLogger on a store of
its own, RunRecord. A callback runs a plain loop over a copy of the model by turns with the fit,
ten steps each, on one thread of the CPU, so that both meet the same machine. Set-up, the first
steps and the end of the epoch are not timed. Both end with equal weights, or it is an error.
The images are as large as makes a bare step take the time wanted. Rows are medians over rounds;
CPU time counts the threads of progress bar and tracker too.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from copy import deepcopy
from itertools import islice, pairwise
from pathlib import Path
from statistics import mean, median

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn

from datamodules import DigitsDataModule, ImageDataModule
from lightning_app.cli.training_commands import run
from models import ImageClassifier, SmallCNN
from models.losses.loss import CrossEntropy

TARGETS = (20.0, 4.0)  # milliseconds of a bare step: the aim is set for the first
ROUNDS = 7
BATCH_SIZE = 8  # makes an epoch of the digits 143 steps
TURN = 10  # steps in a row, as many as the trainer logs once in
WARM_UP = 2  # turns that are not timed
CONFIG = Path(__file__).parents[1] / "configs" / "digits.yaml"
PICTURES = ("data", "curves", "confusion", "filters", "grad_cam")
CLOCKS = {"wall": time.perf_counter, "CPU": time.process_time}


class Race(Callback):
    """Runs the bare loop by turns with the fit that it is a callback of."""

    def __init__(self) -> None:
        self.marks: list[dict[str, float]] = []  # at the turns' ends: bare, fit, bare, fit...
        races.append(self)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Copy the model."""
        assert isinstance(pl_module, ImageClassifier)
        head = deepcopy(pl_module.head)
        self.twin = ImageClassifier(
            deepcopy(pl_module.backbone), 10, lambda *_: head, optimizer=pl_module.make_optimizer
        )
        self.bare = bare_loop(self.twin, trainer.datamodule)  # pyright: ignore[reportAttributeAccessIssue]

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Give the bare loop its turn."""
        if batch_idx % TURN == 0:
            self.marks.append({name: clock() for name, clock in CLOCKS.items()})
            list(islice(self.bare, TURN))
            self.marks.append({name: clock() for name, clock in CLOCKS.items()})

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare the weights."""
        expected = self.twin.state_dict()
        for name, weight in pl_module.state_dict().items():
            if not torch.equal(weight, expected[name]):
                raise ValueError(f"After the fit {name} differs from that of the bare loop.")

    def step_ms(self, clock: str) -> tuple[float, float]:
        """Milliseconds per step of the bare loop and of the fit."""
        marks = [mark[clock] for mark in self.marks[2 * WARM_UP : -1]]  # the last is of fewer steps
        turns = [end - start for start, end in pairwise(marks)]
        return 1e3 * mean(turns[0::2]) / TURN, 1e3 * mean(turns[1::2]) / TURN


races: list[Race] = []  # `run` returns nothing


def bare_loop(classifier: ImageClassifier, data: ImageDataModule) -> Iterator[None]:
    """Train backbone and head for an epoch, a step at every `next`."""
    network = nn.Sequential(classifier.backbone, classifier.head).train()
    criterion = CrossEntropy(data.class_counts)
    optimizer = classifier.make_optimizer(classifier.parameter_groups())
    for batch in data.train_dataloader():
        images, labels, _ = data.on_after_batch_transfer(batch, 0)
        optimizer.zero_grad()
        criterion(network(images), labels).backward()
        optimizer.step()
        yield


def image_size_for(target: float) -> int:
    """The size of images whose bare step takes at least as many milliseconds."""
    image_size, step = 4, 0.0
    while step < target:
        image_size += 4
        data = DigitsDataModule(image_size, BATCH_SIZE, augmentation=[])
        steps = bare_loop(ImageClassifier(SmallCNN(num_channels=1), 10), data)
        times = [time.perf_counter() for _ in islice(steps, 3 * TURN)]
        step = 1e3 * median(end - start for start, end in pairwise(times))
    return image_size


def fit(image_size: int, root: str) -> Race:
    """Train as the command line does, and race."""
    arguments = {
        "config": CONFIG,
        "data.image_size": image_size,
        "data.batch_size": BATCH_SIZE,
        "data.augmentation": [],
        "model.lr_scheduler": "null",  # the bare loop has none
        "trainer.accelerator": "cpu",
        "trainer.max_epochs": 1,
        "trainer.limit_val_batches": 0,
        "trainer.callbacks": f"{__name__}.Race",
        "trainer.logger.init_args.root": root,
        **{f"pictures.{name}": "false" for name in PICTURES},
    }
    run(["fit", *(f"--{name}={value}" for name, value in arguments.items())])
    return races[-1]


def table(image_size: int, rounds: list[Race]) -> Iterator[str]:
    """A row a clock."""
    for clock in CLOCKS:
        pairs = [race.step_ms(clock) for race in rounds]
        bare, fitted = (median(side) for side in zip(*pairs, strict=True))
        low, *_, high = ratios = sorted(slow / quick for quick, slow in pairs)
        times = f"{image_size:6}  {clock:5}  {bare:7.2f}  {fitted:6.2f}"
        yield f"{times}  {median(ratios):5.3f}  {low:.3f} to {high:.3f}"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    rows = ["images  clock  bare ms  fit ms  ratio  its range"]
    with redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as root:
        for target in TARGETS:
            image_size = image_size_for(target)
            rows += table(image_size, [fit(image_size, root) for _ in range(ROUNDS)])
    print("\n".join(rows))


if __name__ == "__main__":
    main()
