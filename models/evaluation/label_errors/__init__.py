"""Find label errors in a dataset. Plain functions: tensors in, tensors out."""

from models.evaluation.label_errors.confident_learning import (
    LabelErrors,
    confident_joint,
    find_label_errors,
)
from models.evaluation.label_errors.feature_rows import FeatureRows, finite_rows
from models.evaluation.label_errors.leave_one_out import LeaveOneOut, temperature_scaled
from models.evaluation.label_errors.pooled_features import (
    PooledFeatures,
    feature_batches,
    four_corners,
    gather_features,
    pooled_features,
    pooled_layers,
)

__all__ = [
    "FeatureRows",
    "LabelErrors",
    "LeaveOneOut",
    "PooledFeatures",
    "confident_joint",
    "feature_batches",
    "find_label_errors",
    "finite_rows",
    "four_corners",
    "gather_features",
    "pooled_features",
    "pooled_layers",
    "temperature_scaled",
]
