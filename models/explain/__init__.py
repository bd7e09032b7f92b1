"""What can be asked of a trained network. Plain functions: a model and tensors in, tensors out."""

from models.explain.feature_map import NothingToShow, last_feature_map
from models.explain.filters import filters_of, first_convolution
from models.explain.grad_cam import grad_cam
from models.explain.layers import find_layer, find_layers

__all__ = [
    "NothingToShow",
    "filters_of",
    "find_layer",
    "find_layers",
    "first_convolution",
    "grad_cam",
    "last_feature_map",
]
