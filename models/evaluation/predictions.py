"""Predictions of a network for images, and what follows from them beside the labels."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from models.evaluation.competition_metrics import auc_macro, quadratic_kappa
from models.evaluation.confusion import confusion_counts, ranked_classes

SMALLEST = 2.0**-52  # probability in a log loss, as in scikit-learn
UNLABELLED = -1  # label of an image whose class is not known
CHUNK = 2**23  # probabilities in memory at once: 64 MB


@dataclass(frozen=True, eq=False)
class Predictions:
    """Logits of a network for N images and K classes, with the labels of the images.

    Probabilities are computed in float64. In float32, those of all confident predictions would
    round to 1, so that none would rank above another.

    Attributes:
        logits: (N, K), on the CPU.
        labels: True classes, (N,); `UNLABELLED` where they are not known.
        indices: Position of each image in its source, (N,).
    """

    logits: Tensor
    labels: Tensor
    indices: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def labelled(self) -> "Predictions":
        """The predictions for the images whose label is known."""
        known = self.labels >= 0
        if known.all():
            return self
        return Predictions(self.logits[known], self.labels[known], self.indices[known])

    @cached_property
    def predicted(self) -> Tensor:
        """Predicted classes, (N,)."""
        return self.logits.argmax(dim=1)

    @property
    def probabilities(self) -> Tensor:
        """Softmax of the logits, (N, K), float64."""
        return self.logits.double().softmax(dim=1)

    @cached_property
    def confidence(self) -> Tensor:
        """Probability of the predicted class, (N,), float64 in [0, 1]."""
        return in_chunks(_highest_probability, self)

    @cached_property
    def losses(self) -> Tensor:
        """Cross-entropy, (N,), float64: the label has the probability exp(-loss); NaN without."""
        return in_chunks(_cross_entropy, self).where(self.labels >= 0, torch.nan)

    def most_probable(self, k: int) -> tuple[Tensor, Tensor]:
        """The k most probable classes of each image, (N, k), and their probabilities, (N, k).

        Of classes with equal logits, which are frequent in bfloat16, the first one comes first, as
        in `predicted` and in the metrics.
        """
        classes, probabilities = [], []
        for chunk in self.logits.split(images_at_once(self.logits)):
            classes.append(ranked_classes(chunk, k))
            probabilities.append(chunk.double().softmax(dim=1).gather(1, classes[-1]))
        return torch.cat(classes), torch.cat(probabilities)

    @property
    def correct(self) -> Tensor:
        """Whether the prediction equals the label, (N,); false for an unlabelled image."""
        return self.predicted == self.labels

    @property
    def mistakes(self) -> Tensor:
        """Whether the prediction differs from the label, (N,); false for an unlabelled image."""
        return (self.predicted != self.labels) & (self.labels >= 0)

    def most_confident_mistakes(self) -> Tensor:
        """Rows of the mistakes, the highest confidence first."""
        rows = self.confidence.argsort(descending=True, stable=True)
        return rows[self.mistakes[rows]]

    def highest_losses(self) -> Tensor:
        """Rows of the labelled images, the highest loss first."""
        rows = self.losses.nan_to_num(-1.0).argsort(descending=True, stable=True)
        return rows[self.labels[rows] >= 0]

    @property
    def log_loss(self) -> Tensor:
        """Mean cross-entropy of the labelled images, () float64.

        As in scikit-learn, a probability counts as 2.2e-16 at least.
        """
        return self.losses[self.labels >= 0].clamp_max(-math.log(SMALLEST)).mean()

    @property
    def quadratic_kappa(self) -> Tensor:
        """Cohen's kappa with quadratic weights of the labelled images; see `quadratic_kappa`."""
        return quadratic_kappa(self.confusion())

    @property
    def auc(self) -> Tensor:
        """Mean area under the ROC curve of each class against the rest; see `auc_macro`."""
        known = self.labelled()
        return auc_macro(known.probabilities, known.labels)

    def confusion(self) -> Tensor:
        """Counts of the labelled images (label, prediction), (K, K); see `confusion_counts`."""
        return confusion_counts(self.predicted, self.labels, self.logits.shape[1])


def images_at_once(logits: Tensor) -> int:
    """Number of images whose probabilities are in memory at once.

    Args:
        logits: (N, K), of all images.
    """
    return max(1, CHUNK // max(1, logits.shape[1]))


def in_chunks(score: Callable[[Tensor, Tensor], Tensor], predictions: Predictions) -> Tensor:
    """A score of each image, (N,), computed for a limited number of images at once.

    Args:
        score: Maps logits (n, K) in float64 and labels (n,) to scores (n,).
        predictions: Those of all N images.
    """
    size = images_at_once(predictions.logits)
    logits, labels = predictions.logits.split(size), predictions.labels.split(size)
    parts = [score(chunk.double(), true) for chunk, true in zip(logits, labels, strict=True)]
    return torch.cat(parts)


def _highest_probability(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.softmax(dim=1).amax(dim=1)


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    # Not that of torch, which takes no label below zero; such a loss is replaced afterwards.
    return -logits.log_softmax(dim=1).gather(1, labels.clamp_min(0)[:, None])[:, 0]
