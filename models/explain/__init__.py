"""Explanations of trained networks. Plain functions: a model and tensors in, tensors out."""

from models.explain.activation_maximisation import maximise_activation
from models.explain.attention import ATTENTION_METHODS, attn_lrp, gradient_rollout
from models.explain.class_activation import (
    CLASS_ACTIVATIONS,
    eigen_cam,
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
    score_cam,
)
from models.explain.evidence import ClassEvidence, class_evidence
from models.explain.feature_maps import constant_maps, feature_maps
from models.explain.filters import filter_layers, filters_of
from models.explain.first_middle_last import first_middle_last
from models.explain.last_feature_map import last_feature_map
from models.explain.layers import find_layer, find_layers, short_name
from models.explain.map_layout import NothingToShow
from models.explain.saliency import (
    SALIENCIES,
    gradient_times_input,
    guided_backpropagation,
    integrated_gradients,
    rectified_gradient,
    smooth_grad,
    vanilla_gradient,
)

__all__ = [
    "ATTENTION_METHODS",
    "CLASS_ACTIVATIONS",
    "SALIENCIES",
    "ClassEvidence",
    "NothingToShow",
    "attn_lrp",
    "class_evidence",
    "constant_maps",
    "eigen_cam",
    "feature_maps",
    "filter_layers",
    "filters_of",
    "find_layer",
    "find_layers",
    "first_middle_last",
    "grad_cam",
    "grad_cam_plus_plus",
    "gradient_rollout",
    "gradient_times_input",
    "guided_backpropagation",
    "hires_cam",
    "integrated_gradients",
    "last_feature_map",
    "layer_cam",
    "maximise_activation",
    "rectified_gradient",
    "score_cam",
    "short_name",
    "smooth_grad",
    "vanilla_gradient",
]
