"""Overhead of a training step of `lightning_cli fit` over a bare PyTorch loop.

    uv run python benchmarks/training_overhead.py

The command line trains on the digits, with the Trainer, a progress bar, RunLogger on a store of its
own, and RunRecorder, but without pictures. A callback alternates between the fit and a plain loop
over a copy of the model, ten steps each, on one CPU thread, so that the load of the machine affects
both alike. Set-up, the first steps and the end of the epoch are not timed. An error is raised
unless both end with the same weights. The image size is chosen so that a bare step takes at least
the target time of a CPU. Rows are medians over rounds; CPU time includes the threads of the
progress bar and of tracking.
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
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from results import options_of, publish
from torch import nn

from datamodules import DigitsDataModule, ImageDataModule
from lightning_app.cli.training_commands import run
from models import ImageClassifier, SmallCNN
from models.losses.loss import CrossEntropy

QUICK = ["--rounds", "1"]
BARE_STEP_MS = (20.0, 4.0)  # targets for the duration of a bare step
ROUNDS = 5
BATCH_SIZE = 8  # 143 steps per epoch of the digits
TURN = 10  # steps in a row: the trainer logs once in as many
WARM_UP = 2  # turns that are not timed
CONFIG = Path(__file__).parents[1] / "configs" / "digits.yaml"
CLOCKS = {"wall": time.perf_counter, "CPU": time.process_time}


class BareLoopComparison(Callback):
    """Alternates between a bare loop and the fit that it is a callback of, and times both."""

    def __init__(self) -> None:
        self.marks: list[dict[str, float]] = []  # at the ends of turns: bare, fit, bare, fit, …
        comparisons.append(self)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Copy the model for the bare loop."""
        assert isinstance(pl_module, ImageClassifier)
        head = deepcopy(pl_module.head)
        self.copy = ImageClassifier(
            deepcopy(pl_module.backbone), 10, lambda *_: head, optimizer=pl_module.make_optimizer
        )
        self.loop = bare_loop(self.copy, trainer.datamodule)  # pyright: ignore[reportAttributeAccessIssue]

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Run a turn of the bare loop before each turn of the fit."""
        if batch_idx % TURN == 0:
            self.marks.append({name: clock() for name, clock in CLOCKS.items()})
            list(islice(self.loop, TURN))
            self.marks.append({name: clock() for name, clock in CLOCKS.items()})

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Check that both trained to the same weights.

        Raises:
            ValueError: If a parameter or buffer differs.
        """
        expected = self.copy.state_dict()
        for name, weight in pl_module.state_dict().items():
            if not torch.equal(weight, expected[name]):
                raise ValueError(f"{name} differs between the fit and the bare loop.")

    def step_ms(self, clock: str) -> tuple[float, float]:
        """Milliseconds per step of the bare loop and of the fit."""
        marks = [mark[clock] for mark in self.marks[2 * WARM_UP : -1]]  # the last turn is shorter
        turns = [end - start for start, end in pairwise(marks)]
        return 1e3 * mean(turns[0::2]) / TURN, 1e3 * mean(turns[1::2]) / TURN


comparisons: list[BareLoopComparison] = []  # here since `run` does not return its callbacks


def bare_loop(classifier: ImageClassifier, data: ImageDataModule) -> Iterator[None]:
    """Train backbone and head for an epoch, one step per `next`."""
    network = nn.Sequential(classifier.backbone, classifier.head).train()
    criterion = CrossEntropy(data.class_counts)
    optimizer = classifier.make_optimizer(classifier.parameter_groups())
    for batch in data.train_dataloader():
        images, labels, _ = data.on_after_batch_transfer(batch, 0)
        optimizer.zero_grad()
        criterion(network(images), labels).backward()
        optimizer.step()
        yield


def choose_image_size(target_ms: float) -> int:
    """The smallest image size whose bare step takes at least the target time."""
    image_size, step_ms = 4, 0.0
    while step_ms < target_ms:
        image_size += 4
        data = DigitsDataModule(image_size, BATCH_SIZE, augmentation=[])
        steps = bare_loop(ImageClassifier(SmallCNN(num_channels=1), 10), data)
        times = [time.process_time() for _ in islice(steps, 3 * TURN)]
        step_ms = 1e3 * median(end - start for start, end in pairwise(times))
    return image_size


def fit(image_size: int, root: str) -> BareLoopComparison:
    """Train as the command line does, alternating with the bare loop."""
    arguments = {
        "config": CONFIG,
        "data.image_size": image_size,
        "data.batch_size": BATCH_SIZE,
        "data.augmentation": [],
        "model.lr_scheduler": "null",  # the bare loop has none
        "pictures.budget": 0,
        "trainer.accelerator": "cpu",
        "trainer.max_epochs": 1,
        "trainer.limit_val_batches": 0,
        "trainer.callbacks": f"{__name__}.BareLoopComparison",
        "trainer.logger.init_args.root": root,
    }
    run(["fit", *(f"--{name}={value}" for name, value in arguments.items())])
    return comparisons[-1]


def table_rows(image_size: int, rounds: list[BareLoopComparison]) -> Iterator[dict[str, Any]]:
    """One row per clock."""
    for clock in CLOCKS:
        pairs = [comparison.step_ms(clock) for comparison in rounds]
        bare, fitted = (median(side) for side in zip(*pairs, strict=True))
        *_, high = low, *_ = sorted(slow / fast for fast, slow in pairs)
        times = {"image size": image_size, "clock": clock, "bare ms/step": bare}
        ratios = {"ratio": median(slow / fast for fast, slow in pairs)}
        yield times | {"fit ms/step": fitted} | ratios | {"range": f"{low:.3f} to {high:.3f}"}


def main() -> None:
    """Publish one row per image size and clock."""
    parser = options_of(__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    with redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as root:
        for target_ms in BARE_STEP_MS:
            size = choose_image_size(target_ms)
            rows += table_rows(size, [fit(size, root) for _ in range(options.rounds)])
    publish("training_overhead", rows, options.out)


if __name__ == "__main__":
    main()
