"""Little learned: whether a fit ended far from having learned its training images."""

from collections.abc import Mapping, Sequence
from typing import Any

ENOUGH = 0.5  # of the way from always predicting the most frequent class to no mistake


def little_learned(
    accuracy: float | None, class_counts: Sequence[int], params: Mapping[str, Any]
) -> tuple[float, float] | None:
    """Accuracies that show that a network has learned little.

    Args:
        accuracy: Of the training images in the last epoch, in [0, 1], as they were augmented; None
            if it is unknown.
        class_counts: Training images of each class.
        params: Parameters of the run.

    Returns:
        The accuracy, and that of always predicting the most frequent class. None if the network has
        learned enough, or if it cannot be told, since mixed images belong to several classes.
    """
    mixed = any(float(params.get(f"data.options.{name}") or 0) for name in ("mixup", "cutmix"))
    if accuracy is None or mixed or not sum(class_counts):
        return None
    frequent = max(class_counts) / sum(class_counts)
    enough = frequent + ENOUGH * (1 - frequent)
    return None if accuracy >= enough else (accuracy, frequent)
