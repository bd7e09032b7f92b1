"""What a run shows of its network: one question a file, drawn by `callbacks.gallery`."""

from callbacks.pictures.class_activation import ClassActivation
from callbacks.pictures.confusion import ConfusionMatrix
from callbacks.pictures.filters import Filters
from callbacks.pictures.per_class import ClassScores
from callbacks.pictures.picture import Picture, Scene, Shown, When

__all__ = [
    "ClassActivation",
    "ClassScores",
    "ConfusionMatrix",
    "Filters",
    "Picture",
    "Scene",
    "Shown",
    "When",
]
