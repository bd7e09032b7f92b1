"""Time limit: as many epochs as fit into a time, so that the learning rates fall to their end."""

import copy
import time
from collections.abc import Callable
from math import ceil
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from torch.nn.functional import cross_entropy

PLANNED = 0.8  # share of the time that epochs may take; pictures and the report need the rest
LATEST = 0.9  # share after which the fit is stopped if it is slower than measured
WARM_UP, MEASURED = 2, 10  # steps
CHECKED = 10  # steps from one look at the clock to the next, on which all processes agree
MEASURING = 0.05  # share of the time after which no further step is measured


class TimeLimit(Callback):
    """Shorten a fit so that it ends within a time, with its pictures.

    Before the first step, a few steps of a copy of the network are measured, with all layers
    training. From this follows a number of epochs, never more than `trainer.max_epochs`. It becomes
    `max_epochs`, so that schedules span what is really trained, and the run's configuration, which
    has the number instead of the time, repeats the run exactly. If training then turns out to be
    slower, it stops early at 0.9 of the time. A resumed fit keeps its epochs and is only stopped.

    Args:
        seconds: The time.
        started: When it began, by `time.monotonic`.
        record: Called with the number of epochs, for the configuration of the run.
        resumed: Whether the fit is resumed.
    """

    def __init__(
        self,
        seconds: float,
        started: float,
        record: Callable[[int], None],
        resumed: bool = False,
    ) -> None:
        self.seconds, self.started, self.record = seconds, started, record
        self.resumed = resumed

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Set the number of epochs; the same in all processes."""
        if stage != "fit":
            return
        epochs = trainer.max_epochs
        if not self.resumed:  # the trainer does not know its checkpoint yet
            data: Any = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
            seconds = measure_epoch(trainer, pl_module, data, MEASURING * self.seconds)
            left = PLANNED * self.seconds - (time.monotonic() - self.started)
            epochs = trainer.strategy.broadcast(epochs_within(left, seconds, epochs))
            trainer.fit_loop.max_epochs = epochs
            rank_zero_info(f"Time        epochs: {epochs}, of about {seconds:.3g} s each")
            if seconds > left:
                rank_zero_warn(
                    f"Not even one epoch fits into --time {self.seconds:g}s: it takes about "
                    f"{seconds:.3g} s, and {max(left, 0):.3g} s are left to train. Training may "
                    "stop before its first validation."
                )
        if epochs is not None:
            self.record(epochs)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop after this step if the time is nearly over."""
        if batch_idx % CHECKED:
            return
        late = time.monotonic() - self.started > LATEST * self.seconds
        if trainer.strategy.reduce_boolean_decision(late, all=False) and not trainer.should_stop:
            trainer.should_stop = True
            rank_zero_info("Time        is nearly over: training stops, and the best epoch is kept")


def epochs_within(seconds: float, epoch: float, limit: int | None) -> int:
    """How many epochs fit into a time, at least one.

    Args:
        seconds: The time; it may be over.
        epoch: Seconds of an epoch with its validation.
        limit: The most epochs; None or negative for any number.
    """
    epochs = max(1, int(seconds / epoch))
    return epochs if limit is None or limit < 0 else min(epochs, limit)


def measure_epoch(trainer: Trainer, module: LightningModule, data: Any, seconds: float) -> float:
    """Seconds of an epoch with its validation, from a few steps of a copy of the network.

    Args:
        trainer: Its precision and device are used.
        module: The classifier.
        data: The datamodule.
        seconds: After this time, no further step is measured.
    """
    loader, device = data.train_dataloader(), trainer.strategy.root_device
    network = copy.deepcopy(module).to(device).requires_grad_(True).train()
    optimizer = torch.optim.AdamW(network.parameters())
    begun, took, num_steps = time.perf_counter(), 0.0, 0
    step_begun = begun
    for number, (images, labels, _) in enumerate(loader):
        with trainer.precision_plugin.forward_context():
            loss = cross_entropy(network(images.to(device).float() / 255), labels.to(device))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        loss.item()  # waits for the device
        now = time.perf_counter()
        if number >= min(WARM_UP, len(loader) - 1):
            took, num_steps = took + now - step_begun, num_steps + 1
        step_begun = now
        if num_steps and (num_steps >= MEASURED or now - begun > seconds):
            break
    val_steps = ceil(len(data.sources["val"]) / data.batch_size / trainer.world_size)
    return took / num_steps * (len(loader) + val_steps / 2)  # the forward pass takes a third
