"""What a run shows of its network: one question a file, drawn by `callbacks.gallery`."""

from callbacks.pictures.activation_maximisation import ActivationMaximisation
from callbacks.pictures.calibration import Calibration
from callbacks.pictures.class_activation import ClassActivation
from callbacks.pictures.confusion import ConfusionMatrix
from callbacks.pictures.embedding import Embedding
from callbacks.pictures.feature_maps import FeatureMaps
from callbacks.pictures.filters import Filters
from callbacks.pictures.honesty import Honesty
from callbacks.pictures.label_suspects import LabelSuspects
from callbacks.pictures.mistakes import Mistakes
from callbacks.pictures.per_class import ClassScores
from callbacks.pictures.picture import Picture, Scene, Shown, When
from callbacks.pictures.saliency import Saliency

__all__ = [
    "ActivationMaximisation",
    "Calibration",
    "ClassActivation",
    "ClassScores",
    "ConfusionMatrix",
    "Embedding",
    "FeatureMaps",
    "Filters",
    "Honesty",
    "LabelSuspects",
    "Mistakes",
    "Picture",
    "Saliency",
    "Scene",
    "Shown",
    "When",
]
