"""Little learned: whether a fit ended far from having learned its training images."""

from collections.abc import Mapping, Sequence
from typing import Any

ENOUGH = 0.5  # of the way from always predicting the most frequent class to no mistake


def little_learned(
    metrics: Mapping[str, float], class_counts: Sequence[int], params: Mapping[str, Any]
) -> tuple[float, float] | None:
    """Accuracies that show that a network has learned little.

    The training accuracy is counted while the network still learns, on augmented images. So a
    network that classifies enough of the validation images has learned enough, too.

    Args:
        metrics: Last values of the metrics, among them `train/accuracy` and `val/accuracy`.
        class_counts: Training images of each class.
        params: Parameters of the run.

    Returns:
        The training accuracy of the last epoch, and that of always predicting the most frequent
        class. None if the network has learned enough, or if it cannot be told, since mixed images
        belong to several classes.
    """
    mixed = any(float(params.get(f"data.options.{name}") or 0) for name in ("mixup", "cutmix"))
    accuracy = metrics.get("train/accuracy")
    if accuracy is None or mixed or not sum(class_counts):
        return None
    frequent = max(class_counts) / sum(class_counts)
    enough = frequent + ENOUGH * (1 - frequent)
    learned = max(accuracy, metrics.get("val/accuracy", 0.0)) >= enough
    return None if learned else (accuracy, frequent)
