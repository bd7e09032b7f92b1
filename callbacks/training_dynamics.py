"""Recorder of training dynamics: what the network makes of each training image as it learns."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerStatus
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from callbacks.trainer_parts import classifier_of, data_of
from models.evaluation.training_dynamics import PARTS, DynamicsSums, TrainingDynamics

STATE = "training_dynamics"  # in a checkpoint
MAX_NUMBERS = 20_000_000  # images * classes: 80 MB
BUFFER = 2048  # images whose outputs are added at once, so that a step hardly takes longer


class DynamicsRecorder(Callback):
    """Adds up probability and margin of the label of each training image, batch by batch.

    The outputs are those of the training, of augmented images. Batches with mixed labels (mixup,
    cutmix) are left out. Checkpoints hold the sums, with which a resumed fit continues. With
    several processes, each image counts in the one that has it. If one of these fails within an
    epoch, what the others have seen in it is left out.
    """

    def __init__(self) -> None:
        self.sums: DynamicsSums | None = None
        self._saved: dict[str, Tensor] | None = None
        self._buffer: list[tuple[Tensor, Tensor, Tensor]] = []
        self._buffered = 0

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Remember the sums of the fit that is resumed; earlier versions saved none."""
        self._saved = checkpoint.get(STATE)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start, or continue those of a fit that is resumed."""
        options, size = data_of(trainer).options, len(data_of(trainer).sources["train"])
        num_classes = classifier_of(pl_module).num_classes
        self.sums, self._buffer, self._buffered = None, [], 0
        if options.mixup or options.cutmix:
            rank_zero_info("Dynamics    none: mixed images have no label of their own")
            return
        if size * num_classes > MAX_NUMBERS:
            rank_zero_info(f"Dynamics    none: {size:,} images of {num_classes:,} are too many")
            return
        self.sums = DynamicsSums(size, num_classes, pl_module.device)
        saved = self._saved if trainer.is_global_zero else None
        if saved and saved["probabilities"].shape == self.sums.probabilities.shape:
            for name in PARTS:
                getattr(self.sums, name).copy_(saved[name])

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: list[Tensor],
        batch_idx: int,
    ) -> None:
        """Keep the outputs of a batch; many batches are added at once."""
        _, labels, indices = batch
        if self.sums is None or not isinstance(outputs, dict):
            return
        self._buffer.append((outputs["logits"], labels, indices))
        self._buffered += len(indices)
        if self._buffered >= BUFFER:
            self._flush()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Gather the sums."""
        self.gather(trainer)

    def gather(self, trainer: Trainer) -> None:
        """Move what all processes have seen to the first one; every process has to call it."""
        if self.sums is None:
            return
        self._flush()
        if trainer.world_size > 1:
            for name in PARTS:
                own = getattr(self.sums, name)
                total = trainer.strategy.reduce(own.clone(), reduce_op="sum")  # in place
                own.copy_(total if trainer.is_global_zero else torch.zeros_like(own))

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Save the sums over all processes."""
        if self.sums is None:
            return
        self._flush()
        together = trainer.world_size > 1 and trainer.state.status != TrainerStatus.INTERRUPTED
        parts = {name: getattr(self.sums, name).clone() for name in PARTS}
        if together:
            parts = {n: trainer.strategy.reduce(p, reduce_op="sum") for n, p in parts.items()}
        checkpoint[STATE] = {name: part.cpu() for name, part in parts.items()}

    def result(self, trainer: Trainer) -> TrainingDynamics | None:
        """The statistics at the end of a fit, in the first process; None if there are none."""
        if self.sums is None or not self.sums.counts.any():
            return None
        labels = torch.from_numpy(data_of(trainer).sources["train"].labels)
        return self.sums.result(labels)

    def _flush(self) -> None:
        if self.sums is not None and self._buffer:
            self.sums.update(*(torch.cat(part) for part in zip(*self._buffer, strict=True)))
        self._buffer, self._buffered = [], 0
