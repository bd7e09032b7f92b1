"""Callbacks: unfreezing, weight averages, pictures, tables of predictions."""

from callbacks.batch_size import AutoBatchSize
from callbacks.best_metric_bar import BestMetricBar
from callbacks.chosen_metric import ChosenMetric
from callbacks.class_counts import ClassCounts
from callbacks.corruption_test import CorruptionTest
from callbacks.data_visualizer import DataVisualizer
from callbacks.finite_check import FiniteCheck
from callbacks.frozen_features import FrozenFeatures
from callbacks.head_start import HeadStart
from callbacks.interruption import Interruption
from callbacks.learning_curves import LearningCurvesVisualizer
from callbacks.learning_rate_finder import LearningRateRangeTest
from callbacks.memory_monitor import MemoryMonitor
from callbacks.output_recorder import OutputRecorder
from callbacks.picture_gallery import PictureGallery
from callbacks.prediction_writer import PredictionWriter
from callbacks.process_watch import ProcessWatch
from callbacks.progressive_unfreezing import ProgressiveUnfreezing
from callbacks.stop_signals import StopSignals
from callbacks.stopwatch import Stopwatch
from callbacks.time_limit import TimeLimit
from callbacks.training_copies import TrainingCopies
from callbacks.training_dynamics import DynamicsRecorder
from callbacks.uncertainty_calibration import UncertaintyCalibration
from callbacks.unreadable_images import UnreadableMonitor
from callbacks.weight_average import WeightAverage

# Callbacks that log figures besides the pictures, in the order of the report.
VISUALIZERS = (
    LearningCurvesVisualizer,
    ProgressiveUnfreezing,
    LearningRateRangeTest,
    DataVisualizer,
    CorruptionTest,
)

__all__ = [
    "VISUALIZERS",
    "AutoBatchSize",
    "BestMetricBar",
    "ChosenMetric",
    "ClassCounts",
    "CorruptionTest",
    "DataVisualizer",
    "DynamicsRecorder",
    "FiniteCheck",
    "FrozenFeatures",
    "HeadStart",
    "Interruption",
    "LearningCurvesVisualizer",
    "LearningRateRangeTest",
    "MemoryMonitor",
    "OutputRecorder",
    "PictureGallery",
    "PredictionWriter",
    "ProcessWatch",
    "ProgressiveUnfreezing",
    "StopSignals",
    "Stopwatch",
    "TimeLimit",
    "TrainingCopies",
    "UncertaintyCalibration",
    "UnreadableMonitor",
    "WeightAverage",
]
