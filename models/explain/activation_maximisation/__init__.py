"""Activation maximisation (Erhan et al., 2009): the image that activates a filter or class most."""

from models.explain.activation_maximisation.ascent import (
    Maximised,
    count_channels,
    maximise_activation,
)
from models.explain.activation_maximisation.detectors import (
    Detector,
    activated_detectors,
    find_detectors,
)
from models.explain.activation_maximisation.parametrisations import Method

__all__ = [
    "Detector",
    "Maximised",
    "Method",
    "activated_detectors",
    "count_channels",
    "find_detectors",
    "maximise_activation",
]
