"""Monitor of unreadable images: counts files that became unreadable during training."""

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_warn

from callbacks.tracking import log_metric
from callbacks.trainer_parts import data_of

SHOWN = 5  # names that a warning lists


class UnreadableMonitor(Callback):
    """Count images that became unreadable during training, and warn of new ones.

    The count over the training and validation images is logged as `data/unreadable`, from the
    first epoch on in which there is such an image.
    """

    num_known = 0

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count, after the validation of this epoch."""
        data = data_of(trainer)
        names: list[str] = []
        for split in ("train", "val"):
            flags = data.unreadable(split)
            if trainer.world_size > 1:  # each process reads other files
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
            log_metric(trainer, "data/unreadable", float(len(names)), trainer.current_epoch)
            pl_module.log("data/unreadable", float(len(names)), logger=False)
