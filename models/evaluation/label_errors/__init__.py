"""Find label errors in a dataset. Plain functions: tensors in, tensors out."""

from models.evaluation.label_errors.confident_learning import (
    LabelErrors,
    confident_joint,
    find_label_errors,
)
from models.evaluation.label_errors.leave_one_out import (
    leave_one_out_probabilities,
    temperature_scaled,
)
from models.evaluation.label_errors.pooled_features import (
    PooledFeatures,
    four_corners,
    gather_features,
    pooled_features,
    pooled_layers,
)

__all__ = [
    "LabelErrors",
    "PooledFeatures",
    "confident_joint",
    "find_label_errors",
    "four_corners",
    "gather_features",
    "leave_one_out_probabilities",
    "pooled_features",
    "pooled_layers",
    "temperature_scaled",
]
