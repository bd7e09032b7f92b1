"""Counts that are added up batch by batch on the device, and what follows from them."""

import copy
from functools import cached_property

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import Strategy
from lightning.pytorch.trainer.states import TrainerStatus
from torch import Tensor, nn

from models.evaluation.confusion import (
    ClassScores,
    accuracy,
    class_scores,
    confusion_counts,
    f1_macro,
    ranked_classes,
)
from models.losses.loss import total_weight

MAX_K = 5  # of top-k accuracy
COUNTED_AT_ONCE = 1024  # images; one batch at a time, the calls would cost more than the counting


class TrainingSums:
    """Sums over the training batches: loss * images, correct predictions, images.

    Batches are kept until they are `COUNTED_AT_ONCE` images: a step of a small network would notice
    ten calls. Two metrics of torchmetrics would cost it 0.3 ms. Nor is this a buffer of a module:
    DDP would overwrite it with that of the first process.

    Args:
        device: Where the batches are.
    """

    def __init__(self, device: torch.device) -> None:
        self._values = torch.zeros(3, dtype=_precise(device), device=device)
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


class EvaluationCounts:
    """Counts over the batches of a validation or test, from which all its metrics follow.

    Batches are kept until they are `COUNTED_AT_ONCE` images. Nothing waits for the device.
    `TrainingSums` says why this is not a module.

    Args:
        num_classes: Number of classes K.
        device: Where the batches are.
        loss: The loss, a mean over the images of a batch. It is computed in float64 and weighted
            like in training, so that its mean does not depend on how images are batched.
    """

    def __init__(self, num_classes: int, device: torch.device, loss: nn.Module) -> None:
        self._loss = copy.deepcopy(loss).to(_precise(device))
        self._waiting: list[tuple[Tensor, Tensor]] = []
        self._num_waiting = 0
        self._confusion = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=device)
        self._hits = torch.zeros(min(num_classes, MAX_K), dtype=torch.int64, device=device)
        self._loss_sum = torch.zeros(2, dtype=_precise(device), device=device)

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch.

        Args:
            logits: (N, K).
            labels: True classes, (N,).
        """
        self._waiting.append((logits, labels))
        self._num_waiting += len(labels)
        if self._num_waiting >= COUNTED_AT_ONCE:
            self._count()

    @property
    def confusion(self) -> Tensor:
        """Images (label, prediction), (K, K) int64."""
        self._count()
        return self._confusion

    @property
    def hits(self) -> Tensor:
        """Images whose label has rank 1, 2, … among the logits, (min(K, `MAX_K`),) int64."""
        self._count()
        return self._hits

    @property
    def loss_sum(self) -> Tensor:
        """Sum of the weighted losses of the images, and of their weights, (2,)."""
        self._count()
        return self._loss_sum

    def _count(self) -> None:
        """Count the batches that wait."""
        if not self._waiting:
            return
        logits, labels = (torch.cat(part) for part in zip(*self._waiting, strict=True))
        self._waiting, self._num_waiting = [], 0
        self._confusion += confusion_counts(logits.argmax(dim=1), labels, len(self._confusion))
        ranked = ranked_classes(logits, len(self._hits))
        self._hits += (ranked == labels[:, None]).sum(dim=0)
        weight = total_weight(labels, self._class_weights)
        self._loss_sum[0] += self._loss(logits.to(self._loss_sum.dtype), labels) * weight
        self._loss_sum[1] += weight

    def total(self, strategy: Strategy) -> "EvaluationCounts":
        """The sums over all processes, on the CPU."""
        self._count()
        total = copy.copy(self)
        for name in ("_confusion", "_hits", "_loss_sum"):
            own = getattr(self, name).clone()  # DDP reduces in place
            setattr(total, name, strategy.reduce(own, reduce_op="sum").cpu())
        return total

    @property
    def _class_weights(self) -> Tensor | None:
        weights = getattr(self._loss, "weight", None)
        of_classes = isinstance(weights, Tensor) and weights.shape == self._confusion.shape[:1]
        return weights if of_classes else None

    @property
    def images(self) -> Tensor:
        """Number of images."""
        return self.confusion.sum()

    @property
    def loss(self) -> Tensor:
        """Mean loss of the images, as weighted in training.

        In float32: the last digits of a sum depend on its order, and so on the processes.
        """
        return (self.loss_sum[0] / self.loss_sum[1]).float()

    @property
    def accuracy(self) -> Tensor:
        """Share of the images that are classified correctly."""
        return accuracy(self.confusion)

    @property
    def f1_macro(self) -> Tensor:
        """Mean F1 of the classes that occur, as label or as prediction."""
        return f1_macro(self.confusion)

    @cached_property
    def class_scores(self) -> ClassScores:
        """Precision, recall and F1 of each class."""
        return class_scores(self.confusion)

    def top_k_accuracy(self, k: int) -> Tensor:
        """Share of the images whose label is among the k highest logits, k <= `MAX_K`."""
        return self.hits[:k].sum() / self.images


def _precise(device: torch.device) -> torch.dtype:
    """Float64 where the device has it: in float32, sums over many images are rounded."""
    return torch.float32 if device.type == "mps" else torch.float64
