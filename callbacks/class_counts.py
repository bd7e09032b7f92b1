"""Class counts: how many images of each class there are in each split, as a table of the run."""

from typing import Any

import numpy as np
from lightning.pytorch import Callback, LightningModule, Trainer

from callbacks.tracking import log_table
from callbacks.trainer_parts import data_of

SPLITS = ("train", "val", "test")


class ClassCounts(Callback):
    """Logs `tables/class_counts.json`: images of each class in all and in each split."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the table before the first step."""
        if trainer.is_global_zero:
            data = data_of(trainer)
            counts = count_images(data)
            columns = {
                "class": list(data.class_names),
                "all": np.sum(list(counts.values()), axis=0).tolist(),
                **{split: numbers.tolist() for split, numbers in counts.items()},
            }
            log_table(trainer, columns, "class_counts")


def count_images(data: Any) -> dict[str, np.ndarray]:
    """Images of each class, (K,), in each split; without splits of which some have no label.

    Args:
        data: The datamodule.
    """
    sources = {split: data.sources[split] for split in SPLITS if split in data.sources}
    return {
        split: np.bincount(source.labels, minlength=len(data.class_names))
        for split, source in sources.items()
        if (source.labels >= 0).all()
    }
