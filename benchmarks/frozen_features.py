"""Time of an epoch on stored features, relative to one on images.

    uv run python benchmarks/frozen_features.py

Trains a linear head on a frozen SqueezeNet with random weights, on synthetic images, with and
without `FrozenFeatures`, on one CPU thread. Prints the CPU seconds of an epoch, without validation,
and the ratio.
"""

import tempfile
import time
from contextlib import chdir
from statistics import median

import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from results import options_of, publish

from callbacks import FrozenFeatures, ProgressiveUnfreezing
from datamodules import SyntheticDataModule
from models import ImageClassifier, TorchvisionBackbone

QUICK: list[str] = []
NUM_IMAGES, IMAGE_SIZE, BATCH_SIZE, EPOCHS = 400, 128, 32, 3


class EpochTimes(Callback):
    """CPU seconds of each epoch."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self.started = time.process_time()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop it."""
        self.seconds.append(time.process_time() - self.started)


def epoch_seconds(*callbacks: Callback, epochs: int) -> float:
    """Median CPU time of an epoch."""
    seed_everything(0, verbose=False)
    times = EpochTimes()
    backbone = TorchvisionBackbone("squeezenet1_0", num_channels=1)
    data = SyntheticDataModule(
        num_images=NUM_IMAGES, image_size=IMAGE_SIZE, batch_size=BATCH_SIZE, num_workers=0
    )
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=[ProgressiveUnfreezing({0: "head"}), times, *callbacks],
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(ImageClassifier(backbone, data.num_classes), data)
    return median(times.seconds)


def main() -> None:
    """Publish the seconds of an epoch on images and on features, and their ratio."""
    options = options_of(__doc__).parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        images = epoch_seconds(epochs=1)
        features = epoch_seconds(FrozenFeatures(), epochs=EPOCHS)
    row = {"images s": images, "features s": features, "ratio": images / features}
    publish("frozen_features", [row], options.out)


if __name__ == "__main__":
    main()
