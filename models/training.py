"""Training: class counts, logged parameter counts and the check of the loss."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn


def class_counts_of(trainer: Trainer) -> list[int]:
    """Number of training images of each class.

    Raises:
        TypeError: If the trainer has loaders instead of a datamodule.
    """
    data: Any = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
    if data is None:
        raise TypeError(
            "ImageClassifier needs the class counts of a datamodule: call "
            "trainer.fit(model, datamodule) instead of giving it loaders."
        )
    return data.class_counts


def log_parameter_counts(trainer: Trainer, module: nn.Module) -> None:
    """Log `params/total` and `params/trainable` exactly.

    Lightning's `log` converts to float32, which rounds 17,116,211 to one more.
    """
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in module.parameters()]
    counts: dict[str, float] = {
        "params/total": sum(size for size, _ in sizes),
        "params/trainable": sum(size for size, trains in sizes if trains),
    }
    for logger in trainer.loggers:
        logger.log_metrics({**counts, "epoch": trainer.current_epoch}, trainer.global_step)


@contextmanager
def batch_norm_hint() -> Iterator[None]:
    """Say what to do if a batch of one image is too small for a batch norm.

    Raises:
        ValueError: If it is.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise ValueError(
            "A batch norm cannot train on a batch with one value per channel: raise "
            "data.batch_size, or choose another norm, such as `--model.head.norm layer`."
        ) from error


def check_finite(loss: Tensor, trainer: Trainer) -> None:
    """Stop the fit before a loss that is not finite changes the weights.

    Raises:
        ValueError: If the loss is infinite or not a number.
    """
    if not torch.isfinite(loss):
        raise ValueError(
            f"The loss is {loss.item()} in epoch {trainer.current_epoch}, step "
            f"{trainer.global_step}. Try a lower learning rate, or "
            "trainer.gradient_clip_val: 1.0."
        )
