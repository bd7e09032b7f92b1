"""Which labels are probably wrong. Plain functions: tensors in, tensors out."""

from models.label_suspects.confident_learning import Suspicion, confident_joint, suspicion
from models.label_suspects.left_out import left_out_probabilities, tempered
from models.label_suspects.pooled_features import (
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
