"""Uncertainty of a trained network: prediction sets and unknowns, as its checkpoint keeps them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from models.evaluation.prediction_sets import LEVELS, SetThresholds, fit_set_thresholds
from models.evaluation.unknowns import Neighbours, fit_neighbours

UNCERTAINTY = "uncertainty"  # in a checkpoint
MAX_IMAGES = 10_000  # for the thresholds of sets: more would not make them better


class Uncertainty(NamedTuple):
    """What a network's validation has found out about its uncertainty.

    Attributes:
        sets: Thresholds of prediction sets.
        neighbours: Finds unknown images; None if there were too few images or no features.
        num_images: Images on which the thresholds were fitted.
    """

    sets: SetThresholds
    neighbours: Neighbours | None
    num_images: int

    def saved(self) -> dict[str, Any]:
        """Tensors and plain values, which a checkpoint can hold."""
        found = self.neighbours
        return {
            "levels": list(LEVELS),
            "overall": list(self.sets.overall),
            "by_class": list(self.sets.by_class),
            "num_images": self.num_images,
            "bank": None if found is None else found.bank,
            "threshold": None if found is None else found.threshold,
        }


def fit_uncertainty(logits: Tensor, labels: Tensor, features: Tensor | None) -> Uncertainty | None:
    """Find out about the uncertainty of a network; None without images, or if it diverged.

    Args:
        logits: (N, K), of labelled images that the network was not trained on.
        labels: True classes, (N,).
        features: Those before the head, (M, D), of some of these images, or None.
    """
    step = max(1, -(-len(labels) // MAX_IMAGES))
    logits, labels = logits[::step], labels[::step]
    if not len(labels) or not logits.isfinite().all():
        return None
    usable = features is not None and features.isfinite().all()
    neighbours = fit_neighbours(features) if usable and features is not None else None
    return Uncertainty(fit_set_thresholds(logits, labels), neighbours, len(labels))


def read_uncertainty(checkpoint: Mapping[str, Any]) -> Uncertainty | None:
    """The uncertainty in a checkpoint; None in those of earlier versions, or of other levels."""
    saved = checkpoint.get(UNCERTAINTY)
    if not saved or tuple(saved["levels"]) != LEVELS:
        return None
    bank, threshold = saved["bank"], saved["threshold"]
    neighbours = None if bank is None else Neighbours(bank, threshold)
    sets = SetThresholds(tuple(saved["overall"]), tuple(saved["by_class"]))
    return Uncertainty(sets, neighbours, saved["num_images"])


def similarity_output(uncertainty: Uncertainty | None, features: Tensor) -> dict[str, Tensor]:
    """`similarity` of each image, (N,), if there is something to compare its features with."""
    if uncertainty is None or uncertainty.neighbours is None:
        return {}
    return {"similarity": uncertainty.neighbours.similarity(features)}
