"""What the classifier asks of the run that it is trained in."""

import os
from math import isinf
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn

from models.randomness import reseed


def class_counts_of(trainer: Trainer) -> list[int]:
    """Training images of each class.

    Raises:
        TypeError: If the trainer was given loaders instead of a datamodule.
    """
    data: Any = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
    if data is None:
        raise TypeError(
            "ImageClassifier needs the class counts of a datamodule: call "
            "trainer.fit(model, datamodule) instead of giving it loaders."
        )
    return data.class_counts


def num_steps_of(trainer: Trainer) -> float:
    """Steps of the optimizer in the whole training.

    Call it once training has begun: before, it would make a loader of its own.

    Raises:
        ValueError: If the training has no end.
    """
    num_steps = trainer.estimated_stepping_batches
    if isinf(num_steps):
        raise ValueError(
            "A schedule spans the training, which here has no end: set trainer.max_epochs or "
            "trainer.max_steps."
        )
    return num_steps


def log_parameter_counts(trainer: Trainer, module: nn.Module) -> None:
    """Log `params/total` and `params/trainable` to the last digit.

    Lightning's `log` makes a float32 of 17,116,211, which is one more.
    """
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in module.parameters()]
    counts: dict[str, float] = {
        "params/total": sum(size for size, _ in sizes),
        "params/trainable": sum(size for size, trains in sizes if trains),
    }
    for logger in trainer.loggers:
        logger.log_metrics({**counts, "epoch": trainer.current_epoch}, trainer.global_step)


def reseed_step(trainer: Trainer, batch_idx: int) -> None:
    """Make what a step draws a function of its place, never of what was drawn before.

    So a run repeats bit for bit wherever it was interrupted, and whatever is drawn between two
    steps, by validation or by a callback, does not change it.
    """
    seed = int(os.environ.get("PL_GLOBAL_SEED", "0"))  # set by `seed_everything`
    device = trainer.strategy.root_device
    reseed(device, seed, trainer.current_epoch, batch_idx, trainer.global_rank)


def check_finite(loss: Tensor, trainer: Trainer) -> None:
    """Stop before a loss that is no number ruins the weights, so that the last are kept.

    Raises:
        ValueError: If the loss is infinite or not a number.
    """
    if not torch.isfinite(loss):
        raise ValueError(
            f"The loss is {loss.item()} in epoch {trainer.current_epoch}, step "
            f"{trainer.global_step}. Try a lower learning rate, or "
            "trainer.gradient_clip_val: 1.0."
        )
