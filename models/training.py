"""Training: class counts of the training set, and a hint for batches of one image."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning.pytorch import Trainer


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
