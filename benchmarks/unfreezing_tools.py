"""Three tools that free a network while it trains, and a fit with each; see `unfreezing.py`."""

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

RATE, EPOCHS = 0.05, 4
FREE_AT = 2  # the epoch from which on everything trains
MOMENTUM = partial(torch.optim.SGD, lr=RATE, momentum=0.9, weight_decay=0.1)
Tool = Callable[[ImageClassifier, int], Callback]  # the classifier and the number of epochs
MakeBackbone = Callable[[], Backbone]
State = dict[str, torch.Tensor]


class FreeOnly(ImageClassifier):
    """Hands over what trains at the start and no more, as the two other tools ask for."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The groups whose parameters train."""
        groups = super().parameter_groups()
        return [group for group in groups if all(p.requires_grad for p in group["params"])]

    def on_train_epoch_start(self) -> None:
        """Log nothing: the groups that the tools add have no names."""


def ours(classifier: ImageClassifier, epochs: int) -> Callback:
    """The head, then everything."""
    return ProgressiveUnfreezing({0: "head", FREE_AT: "all"})


def stock(classifier: ImageClassifier, epochs: int) -> Callback:
    """Lightning's, as it comes."""
    return BackboneFinetuning(FREE_AT)


def scheduler(classifier: ImageClassifier, epochs: int) -> Callback:
    """`finetuning-scheduler` with a schedule of two phases, at the rates of Lightning's."""
    from finetuning_scheduler import FinetuningScheduler  # pyright: ignore[reportMissingImports]

    names = [name for name, _ in classifier.named_parameters()]
    head = [name for name in names if name.startswith("head.")]
    behind = {"params": [n for n in names if n not in head], "lr": RATE / 10}
    phases = {
        0: {"params": head, "max_transition_epoch": FREE_AT},
        1: {**behind, "max_transition_epoch": epochs},
    }
    quiet = logging.ERROR
    return FinetuningScheduler(
        phases, restore_best=False, epoch_transitions_only=True, logging_level=quiet
    )


TOOLS: dict[str, Tool] = {
    "ours": ours,
    "BackboneFinetuning": stock,
    "finetuning-scheduler": scheduler,
}


class Rates(Callback):
    """Keeps the rates of all groups in every epoch."""

    def __init__(self) -> None:
        self.epochs: list[list[float]] = []

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Once an epoch, after the tools have had their say."""
        if batch_idx == 0:
            self.epochs.append([group["lr"] for group in trainer.optimizers[0].param_groups])


def classifier_for(tool: Tool, backbone: Backbone) -> ImageClassifier:
    """A classifier of four classes, the same at every call."""
    kind = ImageClassifier if tool is ours else FreeOnly
    return kind(backbone, 4, optimizer=MOMENTUM)


def small_cnn() -> Backbone:
    """The same at every call."""
    seed_everything(0, verbose=False)
    return SmallCNN(8, num_channels=1)


def without_batch_norm() -> Backbone:
    """The same at every call; its output does not depend on the rest of the batch."""
    seed_everything(0, verbose=False)
    return TimmBackbone("test_vit", num_channels=1, image_size=32)


def checkpoint_for(tool: Tool, folder: Path) -> ModelCheckpoint:
    """Writes `last.ckpt` after every epoch."""
    kind = ModelCheckpoint
    if tool is scheduler:
        from finetuning_scheduler import FTSCheckpoint as kind  # pyright: ignore[reportMissingImports]
    return kind(folder, "last", save_on_train_epoch_end=True, enable_version_counter=False)


def fit(
    tool: Tool,
    folder: Path,
    epochs: int = EPOCHS,
    resumed: bool = False,
    make_lr_scheduler: Any = None,
    rates: Rates | None = None,
    processes: int | None = None,
) -> State:
    """Train with a tool and return the state.

    Args:
        tool: What freezes and frees.
        folder: Where the checkpoint of the last epoch is.
        epochs: When to stop.
        resumed: Go on from the checkpoint.
        make_lr_scheduler: Builds the scheduler of the rates.
        rates: Looks on.
        processes: Trains a network without batch norm on batches of 16 in all.
    """
    backbone = small_cnn() if processes is None else without_batch_norm()
    classifier = classifier_for(tool, backbone)
    classifier.make_lr_scheduler = make_lr_scheduler
    trainer = Trainer(
        accelerator="cpu",
        devices=processes or 1,
        strategy="ddp_fork" if processes == 2 else "auto",
        max_epochs=epochs,
        callbacks=[tool(classifier, epochs), checkpoint_for(tool, folder), rates or Callback()],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
    )
    data = SyntheticDataModule(num_images=80, batch_size=16 // (processes or 1))
    trainer.fit(classifier, data, ckpt_path=folder / "last.ckpt" if resumed else None)
    return {name: value.clone() for name, value in classifier.state_dict().items()}
