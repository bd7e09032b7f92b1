"""Files that went bad while training ran."""

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_warn

from callbacks.trainer_parts import data_of

SHOWN = 5  # names that a warning lists


class UnreadableMonitor(Callback):
    """Count the images that became unreadable, warn of new ones, and log `data/unreadable`.

    The metric appears once there is one; it counts files of training and validation.
    """

    num_known = 0

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count; validation of this epoch is over."""
        data = data_of(trainer)
        names: list[str] = []
        for split in ("train", "val"):
            flags = data.unreadable(split)
            if trainer.world_size > 1:  # each process meets files of its own
                flags = flags.to(pl_module.device, copy=True)
                torch.distributed.all_reduce(flags, torch.distributed.ReduceOp.MAX)
            names += [data.sources[split].names[index] for index in flags.nonzero().flatten()]
        if len(names) > self.num_known:
            rank_zero_warn(
                f"{len(names)} images can no longer be read and are skipped: "
                f"{', '.join(names[:SHOWN])}{', …' if len(names) > SHOWN else ''}."
            )
        self.num_known = len(names)
        if names:
            pl_module.log("data/unreadable", float(len(names)))
