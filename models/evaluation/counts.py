"""Counts that are added up batch by batch on the device, and what follows from them."""

import copy
from functools import cached_property

import torch
from lightning.pytorch.strategies import Strategy
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
        self._loss = copy.deepcopy(loss).to(precise(device))
        self._waiting: list[tuple[Tensor, Tensor]] = []
        self._num_waiting = 0
        self._confusion = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=device)
        self._hits = torch.zeros(min(num_classes, MAX_K), dtype=torch.int64, device=device)
        self._loss_sum = torch.zeros(2, dtype=precise(device), device=device)

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


def precise(device: torch.device) -> torch.dtype:
    """Type of sums: float64 where the device has it; float32 would round those of many images."""
    return torch.float32 if device.type == "mps" else torch.float64
