"""What a network said of each image beside what it should have said."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import cross_entropy


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Of the images whose label is known, (N,) each.

    Attributes:
        labels: True classes.
        predicted: Predicted classes.
        confidence: Probabilities of the predicted classes.
        losses: Cross-entropy, in which the probability of the true class is exp(-loss).
        indices: Place of each image in its source.
    """

    labels: Tensor
    predicted: Tensor
    confidence: Tensor
    losses: Tensor
    indices: Tensor

    @property
    def right(self) -> Tensor:
        """Whether each image is classified right."""
        return self.predicted == self.labels

    def by_loss(self) -> Tensor:
        """Rows of all images, that with the highest loss first."""
        return self.losses.argsort(descending=True, stable=True)

    def surest_mistakes(self) -> Tensor:
        """Rows of the images that are wrong, that with the highest confidence first."""
        rows = self.confidence.argsort(descending=True, stable=True)
        return rows[~self.right[rows]]


def judge(logits: Tensor, labels: Tensor, indices: Tensor) -> Verdicts:
    """Compare logits (N, K) with labels (N,); images with a negative label are left out."""
    known = labels >= 0
    logits, labels = logits[known], labels[known]
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    losses = cross_entropy(logits, labels, reduction="none")
    return Verdicts(labels, predicted, confidence, losses, indices[known])
