"""Which labels are probably wrong. Plain functions: tensors in, tensors out."""

from models.evaluation.label_errors.confident_learning import Suspicion, confident_joint, suspicion
from models.evaluation.label_errors.left_out import left_out_probabilities, tempered
from models.evaluation.label_errors.pooled_features import (
    Gathered,
    four_corners,
    gather_features,
    pooled_features,
    pooled_layers,
)

__all__ = [
    "Gathered",
    "Suspicion",
    "confident_joint",
    "four_corners",
    "gather_features",
    "left_out_probabilities",
    "pooled_features",
    "pooled_layers",
    "suspicion",
    "tempered",
]
