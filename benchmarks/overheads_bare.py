"""Bare script for `overheads.py`: a plain Trainer on the digits, with what a fit also imports.

It is what one would write without this project: the same network, data, augmentation and MLflow
store, a progress bar and checkpoints. It prints the CPU seconds until the first step has ended.
"""

import os
import sys
import time

import albumentations as A
import cv2
import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import MLFlowLogger
from torch.utils.data import DataLoader, Dataset

LEFT_OUT = "is a part of overheads.py"


class StopAfterStep(pl.Callback):
    """Ends the process after the first step."""

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Print the CPU time of this process so far, and exit without its end."""
        print("CPU seconds", time.process_time(), file=sys.stderr, flush=True)
        os._exit(0)


class Digits(Dataset[tuple[torch.Tensor, int]]):
    """The digits, enlarged; augmented for training."""

    def __init__(self, training: bool) -> None:
        from sklearn.datasets import load_digits

        digits = load_digits()
        scaled = (digits.images * 15.9).astype(np.uint8)  # pyright: ignore[reportAttributeAccessIssue]
        self.images = [cv2.resize(image, (32, 32)) for image in scaled]
        self.labels = digits.target  # pyright: ignore[reportAttributeAccessIssue]
        turn = A.Affine(scale=(0.9, 1.1), rotate=(-10, 10), translate_percent=(-0.1, 0.1))
        self.augmentation = A.Compose([turn] if training else [])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = self.augmentation(image=self.images[index])["image"]
        return torch.from_numpy(image[None]).float() / 255, int(self.labels[index])


class Classifier(pl.LightningModule):
    """The network of the digits, with AdamW."""

    def __init__(self) -> None:
        super().__init__()
        from models import SmallCNN

        self.backbone = SmallCNN(num_channels=1)
        self.head = torch.nn.Linear(self.backbone.num_features, 10)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Log and return the loss."""
        loss = torch.nn.functional.cross_entropy(self.head(self.backbone(batch[0])), batch[1])
        self.log("loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor]) -> None:
        """Log the loss."""
        loss = torch.nn.functional.cross_entropy(self.head(self.backbone(batch[0])), batch[1])
        self.log("val_loss", loss, prog_bar=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """As the digits have it."""
        return torch.optim.AdamW(self.parameters(), 3e-3, weight_decay=0.05, fused=True)


if __name__ == "__main__":
    pl.seed_everything(0)
    store = MLFlowLogger("bare", tracking_uri="sqlite:///mlruns/mlflow.db")
    trainer = pl.Trainer(
        max_epochs=1, logger=store, callbacks=[ModelCheckpoint(monitor="val_loss"), StopAfterStep()]
    )
    train, val = (DataLoader(Digits(training), 64, training) for training in (True, False))
    trainer.fit(Classifier(), train, val)
