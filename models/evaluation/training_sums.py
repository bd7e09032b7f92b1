"""Sums over the batches of a training epoch, from which its loss and accuracy follow."""

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import Strategy
from lightning.pytorch.trainer.states import TrainerStatus
from torch import Tensor

from models.evaluation.counts import COUNTED_AT_ONCE, precise


class TrainingSums:
    """Sums over the training batches: loss * images, correct predictions, images.

    Batches are kept until they are `COUNTED_AT_ONCE` images: a step of a small network would notice
    ten calls. Two metrics of torchmetrics would cost it 0.3 ms. Nor is this a buffer of a module:
    DDP would overwrite it with that of the first process.

    Args:
        device: Where the batches are.
    """

    def __init__(self, device: torch.device) -> None:
        self._values = torch.zeros(3, dtype=precise(device), device=device)
        self._waiting: list[tuple[Tensor, Tensor, Tensor]] = []
        self._num_waiting = 0
        self._gathered = False

    def update(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch.

        Args:
            loss: Its mean loss.
            logits: (N, K).
            labels: Classes (N,), or shares of the classes (N, K), of which the largest counts.
        """
        self._gathered = False
        self._waiting.append((loss, logits, labels))
        self._num_waiting += len(labels)
        if self._num_waiting >= COUNTED_AT_ONCE:
            self.count()

    @property
    def values(self) -> Tensor:
        """The sums, (3,)."""
        self.count()
        return self._values

    def count(self) -> None:
        """Count the batches that wait."""
        if not self._waiting:
            return
        losses, logits, labels = zip(*self._waiting, strict=True)
        self._waiting, self._num_waiting = [], 0
        sizes = [len(batch) for batch in labels]
        for size in set(sizes):  # nearly always one; a tensor of sizes would wait for the device
            alike = torch.stack([loss for loss, n in zip(losses, sizes, strict=True) if n == size])
            self._values[0] += alike.to(self._values.dtype).sum() * size
        classes = torch.cat(labels)
        classes = classes if classes.ndim == 1 else classes.argmax(dim=1)
        self._values[1] += (torch.cat(logits).argmax(dim=1) == classes).sum()
        self._values[2] += sum(sizes)

    def restore(self, saved: Tensor | None, strategy: Strategy) -> None:
        """Continue from the sums over all processes that a checkpoint holds; it may have none."""
        if saved is not None and strategy.is_global_zero:
            self._values += saved.to(self._values)

    def gather(self, strategy: Strategy) -> None:
        """Move the sums of all processes to the first one, before a fit is interrupted."""
        total = self.total(strategy)
        self._values, self._gathered = total if strategy.is_global_zero else 0 * total, True

    def saved(self, trainer: Trainer) -> Tensor | None:
        """The sums for a checkpoint.

        None if an error comes in one of several processes, after which nothing waits for another.
        """
        if trainer.world_size > 1 and trainer.state.status == TrainerStatus.INTERRUPTED:
            return self.values if self._gathered else None
        return self.total(trainer.strategy)

    def total(self, strategy: Strategy) -> Tensor:
        """The sums over all processes."""
        return strategy.reduce(self.values.clone(), reduce_op="sum")  # DDP reduces in place
