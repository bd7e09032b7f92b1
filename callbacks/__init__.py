"""What happens around training: pictures, tables, and when they are made."""

from callbacks.confusion_matrix import ConfusionMatrixMonitor
from callbacks.data import DataVisualizer
from callbacks.filters import FilterVisualizer
from callbacks.grad_cam import GradCAMVisualizer
from callbacks.learning_curves import LearningCurvesVisualizer
from callbacks.learning_rate_finder import LearningRateRangeTest
from callbacks.predictions import PredictionWriter
from callbacks.progressive_unfreezing import ProgressiveUnfreezing
from callbacks.unreadable import UnreadableMonitor
from callbacks.visualizer import Visualizer
from callbacks.weight_average import WeightAverage

__all__ = [
    "ConfusionMatrixMonitor",
    "DataVisualizer",
    "FilterVisualizer",
    "GradCAMVisualizer",
    "LearningCurvesVisualizer",
    "LearningRateRangeTest",
    "PredictionWriter",
    "ProgressiveUnfreezing",
    "UnreadableMonitor",
    "Visualizer",
    "WeightAverage",
]
