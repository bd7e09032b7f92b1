"""Counts that are added up batch by batch on the device, and what follows from them."""

from functools import cached_property

import torch
from lightning.pytorch.strategies import Strategy
from torch import Tensor

from models.evaluation.confusion import (
    ClassScores,
    accuracy,
    class_scores,
    confusion_counts,
    f1_macro,
    ranked_classes,
)

MAX_K = 5  # of top-k accuracy


class TrainingSums:
    """Sums over the training batches: loss * images, correct predictions, images.

    Two metrics of torchmetrics would cost a small network's step 0.3 ms. Nor is this a buffer of a
    module: DDP would overwrite it with that of the first process.

    Args:
        device: Where the batches are.
    """

    def __init__(self, device: torch.device) -> None:
        self.values = torch.zeros(3, dtype=_precise(device), device=device)

    def update(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch.

        Args:
            loss: Its mean loss.
            logits: (N, K).
            labels: Classes (N,), or shares of the classes (N, K), of which the largest counts.
        """
        labels = labels if labels.ndim == 1 else labels.argmax(dim=1)
        self.values[0] += loss.to(self.values.dtype) * len(labels)
        self.values[1] += (logits.argmax(dim=1) == labels).sum()
        self.values[2] += len(labels)


class EvaluationCounts:
    """Counts over the batches of a validation or test, from which all its metrics follow.

    Adding a batch does not wait for the device. `TrainingSums` says why this is not a module.

    Args:
        num_classes: Number of classes K.
        device: Where the batches are.

    Attributes:
        confusion: Images (label, prediction), (K, K) int64.
        hits: Images whose label has rank 1, 2, … among the logits, (min(K, `MAX_K`),) int64.
        loss_sum: Sum of the losses of the images.
    """

    def __init__(self, num_classes: int, device: torch.device) -> None:
        self.confusion = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=device)
        self.hits = torch.zeros(min(num_classes, MAX_K), dtype=torch.int64, device=device)
        self.loss_sum = torch.zeros((), dtype=_precise(device), device=device)

    def update(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch.

        Args:
            loss: Its mean loss.
            logits: (N, K).
            labels: True classes, (N,).
        """
        self.confusion += confusion_counts(logits.argmax(dim=1), labels, len(self.confusion))
        ranked = ranked_classes(logits, len(self.hits))
        self.hits += (ranked == labels[:, None]).sum(dim=0)
        self.loss_sum += loss.to(self.loss_sum.dtype) * len(labels)

    def total(self, strategy: Strategy) -> "EvaluationCounts":
        """The sums over all processes, on the CPU."""
        total = EvaluationCounts(len(self.confusion), torch.device("cpu"))
        for name in ("confusion", "hits", "loss_sum"):
            own = getattr(self, name).clone()  # DDP reduces in place
            setattr(total, name, strategy.reduce(own, reduce_op="sum").cpu())
        return total

    @property
    def images(self) -> Tensor:
        """Number of images."""
        return self.confusion.sum()

    @property
    def loss(self) -> Tensor:
        """Mean loss of the images."""
        return self.loss_sum / self.images

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
