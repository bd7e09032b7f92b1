"""Rows of `overheads.py`: one function for each thing that is measured."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

HERE = Path(__file__).parent
ROUNDS = 3
COMMANDS = ("explain", "report", "compare", "ui", "predict")
BATCH, CLASSES = 64, 10
STEPS = 500  # metrics that are logged, a metric a step
STEPS_PER_FLUSH = 250  # steps of 20 ms in the 5 s between two writes


class Row(NamedTuple):
    """A measurement.

    Attributes:
        what: What is measured.
        ours: CPU time of ours.
        reference: CPU time of the reference; None if the aim is a time.
        unit: Unit of both.
        aim: The ratio, or without a reference the time, that ours should not exceed.
    """

    what: str
    ours: float
    reference: float | None
    unit: str
    aim: float

    @property
    def value(self) -> float:
        """What the aim is about."""
        return self.ours if self.reference is None else self.ours / self.reference


def alternating(
    ours: Callable[[], object], reference: Callable[[], object], calls: int
) -> Iterator[float]:
    """Median CPU seconds per call of both."""
    sides: list[list[float]] = [[], []]
    for _ in range(2 * ROUNDS + 1):
        for side, function in zip(sides, (ours, reference), strict=True):
            started = time.process_time()
            for _ in range(calls):
                function()
            side.append((time.process_time() - started) / calls)
    return (median(side[1:]) for side in sides)  # the first round warms up


def start() -> Iterator[Row]:
    """From the start of Python to the end of the first step of the digits."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"}
        fit = ["-m", "lightning_app", "fit", "--config", str(HERE.parent / "configs/digits.yaml")]
        fit += ["--trainer.callbacks", "overheads_bare.StopAfterStep"]
        seconds: list[list[float]] = [[], []]
        for _ in range(ROUNDS + 1):
            for side, arguments in zip(
                seconds, (fit, [str(HERE / "overheads_bare.py")]), strict=True
            ):
                child = subprocess.run(
                    [sys.executable, *arguments],
                    cwd=folder,
                    env=environment,
                    capture_output=True,
                    text=True,
                )
                side.append(float(child.stderr.rsplit("CPU seconds ", 1)[1].split()[0]))
    ours, bare = (median(side[1:]) for side in seconds)
    yield Row("start to the first step of digits", ours, bare, "s", 1.08)


def helps() -> Iterator[Row]:
    """Helps of the commands that need no training."""
    for command in COMMANDS:
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "lightning_app", command, "--help"],
            check=True,
            capture_output=True,
        )
        after = os.times()
        used = (
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
        yield Row(f"{command} --help", used, None, "s", 1.0)


def metrics() -> Iterator[Row]:
    """Adding a batch to the metrics of a validation, loss included on both sides."""
    from torch.nn.functional import cross_entropy
    from torchmetrics import MeanMetric, MetricCollection
    from torchmetrics.classification import (
        MulticlassAccuracy,
        MulticlassF1Score,
        MulticlassPrecision,
        MulticlassRecall,
    )

    from models.evaluation.counts import EvaluationCounts
    from models.losses.loss import CrossEntropy

    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(BATCH, CLASSES, generator=generator)
    labels = torch.randint(CLASSES, (BATCH,), generator=generator)
    counts = EvaluationCounts(CLASSES, torch.device("cpu"), CrossEntropy([1] * CLASSES))
    mean = MeanMetric()
    collection = MetricCollection(
        {
            "accuracy": MulticlassAccuracy(CLASSES, average="micro"),
            "precision": MulticlassPrecision(CLASSES),
            "recall": MulticlassRecall(CLASSES),
            "f1": MulticlassF1Score(CLASSES),
            "top3": MulticlassAccuracy(CLASSES, top_k=3, average="micro"),
        }
    )

    def reference() -> None:
        collection.update(logits, labels)
        mean.update(cross_entropy(logits, labels), BATCH)

    with torch.inference_mode():
        ours, theirs = alternating(lambda: counts.update(logits, labels), reference, 160)
    yield Row("metrics of a validation batch", 1e6 * ours, 1e6 * theirs, "µs", 0.10)


def logger() -> Iterator[Row]:
    """Logging a metric in each step, until MLflow has all of them."""
    from lightning.pytorch.loggers import MLFlowLogger

    from lightning_app.store import RunLogger

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        own = RunLogger(root=root)
        other = MLFlowLogger("bare", tracking_uri=own.uri)
        _ = own.experiment, other.experiment

        def ours() -> None:
            for step in range(STEPS):
                own.log_metrics({"train/loss_step": float(step), "epoch": 0}, step)
                if step % STEPS_PER_FLUSH == 0:
                    own.flush()
            _ = own.sent_client

        def theirs() -> None:
            for step in range(STEPS // 10):
                other.log_metrics({"train/loss_step": float(step)}, step)

        seconds, bare = alternating(ours, theirs, 1)
        own.finalize()
    yield Row("a logged metric", 1e3 * seconds / STEPS, 1e4 * bare / STEPS, "ms", 0.05)


def augmentation() -> Iterator[Row]:
    """Seeding and checking around the transforms of an image, with the default of the digits."""
    import albumentations as A
    import numpy as np

    from datamodules.augmentation.load import load_augmentation
    from datamodules.augmentation.pipeline import Augmentation

    image = np.random.default_rng(0).integers(0, 256, (32, 32, 1), dtype=np.uint8)

    def row(preset: str) -> Row:
        transforms, seeds = load_augmentation(preset) or [A.NoOp()], iter(range(10**9))
        augment, bare = Augmentation(transforms), A.Compose(transforms, seed=0)
        ours, theirs = alternating(
            lambda: augment(image, next(seeds)), lambda: bare(image=image)["image"], 400
        )
        name = f"augmentation of an image, {preset}: more than albumentations"
        return Row(name, 1e3 * (ours - theirs), None, "ms", 0.015)

    yield from map(row, ("none", "glyphs"))


def step() -> Iterator[Row]:
    """A training step of a fit, against a bare loop."""
    import training_overhead

    aims = dict(zip(training_overhead.BARE_STEP_MS, (1.05, 1.25), strict=True))
    with tempfile.TemporaryDirectory() as root:
        for target, aim in aims.items():
            size = training_overhead.choose_image_size(target)
            rounds = [training_overhead.fit(size, root).step_ms("CPU") for _ in range(ROUNDS)]
            bare, ours = (median(side) for side in zip(*rounds, strict=True))
            yield Row(f"step of a fit at {target:.0f} ms", ours, bare, "ms", aim)


MEASURED: dict[str, Callable[[], Iterator[Row]]] = {
    function.__name__: function for function in (start, helps, metrics, logger, augmentation, step)
}
