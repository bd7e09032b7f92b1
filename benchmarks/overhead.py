"""What does a training step of `lightning_cli fit` cost beyond a bare PyTorch loop?

    uv run python benchmarks/overhead.py

A round trains one epoch of the digits twice in this process, on one thread of the CPU: with a
plain `for` loop, and with `fit` as the command line runs it (Trainer, progress bar, RunLogger on a
temporary store, RunRecord), pictures off. Model, optimizer, loader, seed and order of images are
the same; the final weights are compared first. Every round's time per step is that from the start
of step `FIRST` to the start of the last one, so set-up, checkpoints and the end of the epoch are
not in it. CPU time is all of the process's, with the threads of the tracker.
"""

import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from torch import Tensor, nn

from datamodules import DigitsDataModule
from lightning_app.cli import run
from models import ImageClassifier, SmallCNN
from models.loss import CrossEntropy

ROUNDS = 7
FIRST = 20  # steps of an epoch that warm up and are not timed
BATCH_SIZE = 8  # makes an epoch of the digits 143 steps
CONFIG = Path(__file__).parents[1] / "configs" / "digits.yaml"
OPTIMIZER = {"lr": 3e-3, "weight_decay": 0.05, "fused": True}  # as in CONFIG
PICTURES = ("data", "curves", "confusion", "filters", "grad_cam")


@dataclass(eq=False)
class Result(Callback):
    """Takes the time at every step's start, and keeps the weights; as a callback, those of a fit.

    Attributes:
        times: Wall and CPU time, in seconds, at the start of each step.
        weights: The model at the end of the epoch.
    """

    times: list[tuple[float, float]] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        FITS.append(self)  # `run` returns nothing

    def mark(self) -> None:
        """Take the time."""
        self.times.append((time.perf_counter(), time.process_time()))

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Take the time."""
        self.mark()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the weights."""
        self.weights = network(pl_module)

    def per_step(self, clock: int) -> float:
        """Milliseconds, by the wall (0) or of the CPU (1)."""
        timed = self.times[FIRST:]
        return 1e3 * (timed[-1][clock] - timed[0][clock]) / (len(timed) - 1)


FITS: list[Result] = []


def network(module: nn.Module) -> dict[str, Tensor]:
    """The weights of backbone and head, copied."""
    names = ("backbone.", "head.")
    return {k: v.clone() for k, v in module.state_dict().items() if k.startswith(names)}


def fit(image_size: int, root: Path, options: list[str]) -> Result:
    """Train as the command line does."""
    pictures = [f"--pictures.{name}=false" for name in PICTURES]
    run(
        [
            "fit",
            f"--config={CONFIG}",
            f"--data.image_size={image_size}",
            f"--data.batch_size={BATCH_SIZE}",
            "--data.augmentation=[]",
            "--trainer.max_epochs=1",
            "--trainer.accelerator=cpu",
            "--trainer.limit_val_batches=0",
            f"--trainer.callbacks={__name__}.Result",
            f"--trainer.logger.init_args.root={root}",
            *pictures,
            *options,
        ]
    )
    return FITS[-1]


def bare(image_size: int) -> Result:
    """Train the same model with a loop."""
    seed_everything(0, verbose=False)
    data = DigitsDataModule(image_size, BATCH_SIZE, augmentation=[])
    model = ImageClassifier(SmallCNN(num_channels=1), num_classes=10).train()
    criterion = CrossEntropy(data.class_counts)
    optimizer = torch.optim.AdamW(model.parameter_groups(), **OPTIMIZER)
    result = Result()
    for batch in data.train_dataloader():
        result.mark()
        images, labels, _ = data.on_after_batch_transfer(batch, 0)
        optimizer.zero_grad()
        criterion(model.head(model.backbone(images)), labels).backward()
        optimizer.step()
    result.weights = network(model)
    return result


if __name__ == "__main__":
    torch.set_num_threads(1)
    options = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            (bare(int(sys.argv[1])), fit(int(sys.argv[1]), Path(folder), options))
            for _ in range(ROUNDS)
        ]
    for b, f in rounds:
        for k in b.weights:
            assert torch.equal(b.weights[k], f.weights[k]), k
    for c in (0, 1):
        print([f"{b.per_step(c):.2f}/{f.per_step(c):.2f}" for b, f in rounds])
        print(
            median(b.per_step(c) for b, f in rounds),
            median(f.per_step(c) for b, f in rounds),
            median(f.per_step(c) / b.per_step(c) for b, f in rounds),
        )
