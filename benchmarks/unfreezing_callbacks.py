"""Unfreezing callbacks that are compared, and a fit with each of them; see `unfreezing.py`."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import BackboneFinetuning, ModelCheckpoint

from callbacks import ProgressiveUnfreezing
from datamodules import SyntheticDataModule
from models import Backbone, ImageClassifier, SmallCNN, TimmBackbone

LEARNING_RATE, EPOCHS = 0.05, 4
UNFREEZE_EPOCH = 2  # the first epoch in which everything trains
OPTIMIZER = partial(torch.optim.SGD, lr=LEARNING_RATE, momentum=0.9, weight_decay=0.1)
MakeCallback = Callable[[ImageClassifier, int], Callback]  # the int is the number of epochs
State = dict[str, torch.Tensor]


class TrainableOnlyClassifier(ImageClassifier):
    """A classifier whose optimizer starts with the trainable parameters only.

    This is what the documentation of the two other callbacks asks for.
    """

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The groups whose parameters train."""
        groups = super().parameter_groups()
        return [group for group in groups if all(p.requires_grad for p in group["params"])]

    def on_train_epoch_start(self) -> None:
        """Log no learning rates: groups that the other callbacks add have no names."""


def progressive_unfreezing(classifier: ImageClassifier, epochs: int) -> Callback:
    """This project's callback: first the head trains, then everything."""
    return ProgressiveUnfreezing({0: "head", UNFREEZE_EPOCH: "all"})


def backbone_finetuning(classifier: ImageClassifier, epochs: int) -> Callback:
    """Lightning's callback with its default settings."""
    return BackboneFinetuning(UNFREEZE_EPOCH)


def finetuning_scheduler(classifier: ImageClassifier, epochs: int) -> Callback:
    """finetuning-scheduler with two phases, at the learning rates of Lightning's callback."""
    from finetuning_scheduler import FinetuningScheduler  # pyright: ignore[reportMissingImports]

    names = [name for name, _ in classifier.named_parameters()]
    head = [name for name in names if name.startswith("head.")]
    backbone = [name for name in names if name not in head]
    phases = {
        0: {"params": head, "max_transition_epoch": UNFREEZE_EPOCH},
        1: {"params": backbone, "lr": LEARNING_RATE / 10, "max_transition_epoch": epochs},
    }
    return FinetuningScheduler(
        phases, restore_best=False, epoch_transitions_only=True, logging_level=logging.ERROR
    )


CALLBACKS: dict[str, MakeCallback] = {
    "ProgressiveUnfreezing": progressive_unfreezing,
    "BackboneFinetuning": backbone_finetuning,
    "finetuning-scheduler": finetuning_scheduler,
}


class LearningRateRecorder(Callback):
    """Records the learning rates of all parameter groups in each epoch."""

    def __init__(self) -> None:
        self.rates: list[list[float]] = []  # one list per epoch

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Record once per epoch, after the other callbacks have changed the rates."""
        if batch_idx == 0:
            self.rates.append([group["lr"] for group in trainer.optimizers[0].param_groups])


def make_classifier(make_callback: MakeCallback, backbone: Backbone) -> ImageClassifier:
    """A classifier of four classes, whose optimizer suits the callback."""
    own = make_callback is progressive_unfreezing
    kind = ImageClassifier if own else TrainableOnlyClassifier
    return kind(backbone, 4, optimizer=OPTIMIZER)


def small_cnn() -> Backbone:
    """A small CNN with batch norm; the same weights at every call."""
    seed_everything(0, verbose=False)
    return SmallCNN(8, num_channels=1)


def small_vit() -> Backbone:
    """A small ViT without batch norm, so that images of a batch do not affect each other.

    The same weights at every call.
    """
    seed_everything(0, verbose=False)
    return TimmBackbone("test_vit", num_channels=1, image_size=32)


def make_checkpoint(make_callback: MakeCallback, folder: Path) -> ModelCheckpoint:
    """The checkpoint callback that suits an unfreezing callback; writes `last.ckpt`."""
    kind = ModelCheckpoint
    if make_callback is finetuning_scheduler:
        from finetuning_scheduler import FTSCheckpoint as kind  # pyright: ignore[reportMissingImports]
    return kind(folder, "last", save_on_train_epoch_end=True, enable_version_counter=False)


def fit(
    make_callback: MakeCallback,
    folder: Path,
    epochs: int = EPOCHS,
    resume: bool = False,
    make_lr_scheduler: Any = None,
    recorder: LearningRateRecorder | None = None,
    processes: int | None = None,
) -> State:
    """Train with an unfreezing callback.

    Args:
        make_callback: Makes the callback.
        folder: Where `last.ckpt` is written after every epoch.
        epochs: The epoch to stop at.
        resume: Whether to resume from `last.ckpt`.
        make_lr_scheduler: Makes the learning rate scheduler; None for a constant rate.
        recorder: Records the learning rates.
        processes: None trains a small CNN in this process; 1 or 2 train a network without batch
            norm in as many processes, on batches of 16 images in total.

    Returns:
        The state of the classifier after training.
    """
    backbone = small_cnn() if processes is None else small_vit()
    classifier = make_classifier(make_callback, backbone)
    classifier.make_lr_scheduler = make_lr_scheduler
    trainer = Trainer(
        accelerator="cpu",
        devices=processes or 1,
        strategy="ddp_fork" if processes == 2 else "auto",
        max_epochs=epochs,
        callbacks=[
            make_callback(classifier, epochs),
            make_checkpoint(make_callback, folder),
            recorder or Callback(),
        ],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
    )
    data = SyntheticDataModule(num_images=80, batch_size=16 // (processes or 1))
    trainer.fit(classifier, data, ckpt_path=folder / "last.ckpt" if resume else None)
    return {name: value.clone() for name, value in classifier.state_dict().items()}
