"""Killed fits: what plain Lightning with MLFlowLogger keeps when it is killed again and again.

    uv run python benchmarks/killed_fits.py [--kills 20]

A small network trains on synthetic images, augmented in a worker, with dropout. A checkpoint is
written every third step. The process is killed at random moments, and resumed with `ckpt_path` and
the id of its run. The script prints how its weights and metrics differ from those of a fit that is
not killed. `uv run pytest -m slow -n 0 -s` does the same to `lightning_cli fit`.
"""

import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import MLFlowLogger
from mlflow import MlflowClient
from results import options_of, publish
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

from datamodules import SyntheticDataModule

QUICK = ["--kills", "2"]
EPOCHS, BATCH_SIZE, EVERY = 60, 8, 3


class Images(Dataset[tuple[Tensor, Tensor]]):
    """Synthetic images; those for training are mirrored at random."""

    def __init__(self, split: str) -> None:
        data = SyntheticDataModule(num_images=80)
        data.prepare_data()
        data.setup("fit")
        source, self.augmented = data.sources[split], split == "train"
        self.images = data.images(split, range(len(source)))
        self.labels = torch.from_numpy(source.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        mirrored = self.augmented and torch.rand(()) < 0.5
        return self.images[index].flip(-1) if mirrored else self.images[index], self.labels[index]


class Classifier(LightningModule):
    """A small convolutional network with batch norm and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(
            *(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4)),
            *(nn.Flatten(), nn.Dropout(0.3), nn.Linear(128, 4)),
        )

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Log the loss of every step and of the epoch."""
        images, labels = batch
        loss = cross_entropy(self.network(images), labels)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Log the loss."""
        images, labels = batch
        self.log("val_loss", cross_entropy(self.network(images), labels))

    def configure_optimizers(self) -> Any:
        """AdamW whose rate falls to 0."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-3)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


def fit(folder: Path) -> None:
    """Train, from the last checkpoint if there is one, in the run of the first fit."""
    os.chdir(folder)
    seed_everything(0, verbose=False)
    last, uri = folder / "last.ckpt", f"sqlite:///{folder / 'mlflow.db'}"
    run = folder / "run_id"
    logger = MLFlowLogger(
        "plain", tracking_uri=uri, run_id=run.read_text() if run.exists() else None
    )
    run.write_text(str(logger.run_id))
    checkpoint = ModelCheckpoint(
        folder, "last", every_n_train_steps=EVERY, enable_version_counter=False
    )
    train = DataLoader(Images("train"), BATCH_SIZE, shuffle=True, num_workers=1, drop_last=True)
    trainer = Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=logger,
        log_every_n_steps=2,
        callbacks=[checkpoint],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    resumed = str(last) if last.exists() else None
    trainer.fit(Classifier(), train, DataLoader(Images("val"), BATCH_SIZE), ckpt_path=resumed)


def points(folder: Path) -> Counter[tuple[str, int, float]]:
    """Each point of each metric, with how often it is in the store."""
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    run_id = (folder / "run_id").read_text()
    names = client.get_run(run_id).data.metrics
    history = [(n, p) for n in names for p in client.get_metric_history(run_id, n)]
    return Counter((name, point.step, point.value) for name, point in history)


def start(folder: Path) -> Any:
    """Start a fit in a process of its own; forked, which saves the time for imports."""
    process = multiprocessing.get_context("fork").Process(target=fit, args=(folder,))
    process.start()
    return process


def saved(folder: Path) -> int:
    """When the last checkpoint was written; 0 if there is none."""
    file = folder / "last.ckpt"
    return file.stat().st_mtime_ns if file.exists() else 0


def kill_again_and_again(folder: Path, kills: int, seconds: float) -> int:
    """Kill a fit at random moments after it has saved something; return how often."""
    generator = random.Random(0)
    for number in range(kills):
        before, process = saved(folder), start(folder)
        while saved(folder) == before and process.is_alive():
            time.sleep(0.01)
        process.join(generator.uniform(0, 1.5 * seconds / kills))
        if not process.is_alive():
            return number
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    return kills


def main() -> None:
    """Compare a fit that is killed with one that is not."""
    parser = options_of(__doc__)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    whole, killed = (Path(tempfile.mkdtemp(prefix=name)) for name in ("whole", "killed"))
    process = start(whole)
    while not saved(whole):
        time.sleep(0.01)
    started = time.perf_counter()
    process.join()
    done = kill_again_and_again(killed, options.kills, time.perf_counter() - started)
    start(killed).join()
    ours, theirs = (
        torch.load(folder / "last.ckpt", weights_only=True)["state_dict"]
        for folder in (killed, whole)
    )
    names = [name for name in ours if ours[name].is_floating_point()]
    differences = [(ours[name] - theirs[name]).abs().max().item() for name in names]
    found, expected = points(killed), points(whole)
    places = Counter((name, step) for name, step, _ in found.elements())
    wanted = {(name, step) for name, step, _ in expected}
    missing, doubled = wanted - places.keys(), [place for place, n in places.items() if n > 1]
    wrong = sum(1 for point in expected if point not in found and point[:2] in places)
    row = {"kills": done, "largest difference of a weight": max(differences)}
    row |= {"points of metrics": expected.total(), "missing": len(missing)}
    row |= {"doubled": len(doubled), "with another value": wrong}
    publish("killed_fits", [row], options.out)


if __name__ == "__main__":
    main()
