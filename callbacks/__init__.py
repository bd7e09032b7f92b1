"""Callbacks: unfreezing, weight averages, pictures, predictions; each is imported on first use.

So a command that draws pictures of a checkpoint does not import what trains.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callbacks.batch_size import AutoBatchSize as AutoBatchSize
    from callbacks.best_metric_bar import BestMetricBar as BestMetricBar
    from callbacks.chosen_metric import ChosenMetric as ChosenMetric
    from callbacks.class_counts import ClassCounts as ClassCounts
    from callbacks.corruption_test import CorruptionTest as CorruptionTest
    from callbacks.data_visualizer import DataVisualizer as DataVisualizer
    from callbacks.finite_check import FiniteCheck as FiniteCheck
    from callbacks.frozen_features import FrozenFeatures as FrozenFeatures
    from callbacks.head_start import HeadStart as HeadStart
    from callbacks.interruption import Interruption as Interruption
    from callbacks.learning_curves import LearningCurvesVisualizer as LearningCurvesVisualizer
    from callbacks.learning_rate_finder import LearningRateRangeTest as LearningRateRangeTest
    from callbacks.memory_monitor import MemoryMonitor as MemoryMonitor
    from callbacks.no_profiler import NoProfiler as NoProfiler
    from callbacks.output_recorder import OutputRecorder as OutputRecorder
    from callbacks.picture_gallery import PictureGallery as PictureGallery
    from callbacks.prediction_writer import PredictionWriter as PredictionWriter
    from callbacks.process_watch import ProcessWatch as ProcessWatch
    from callbacks.progressive_unfreezing import ProgressiveUnfreezing as ProgressiveUnfreezing
    from callbacks.stop_signals import StopSignals as StopSignals
    from callbacks.stopwatch import Stopwatch as Stopwatch
    from callbacks.time_limit import TimeLimit as TimeLimit
    from callbacks.training_copies import TrainingCopies as TrainingCopies
    from callbacks.training_dynamics import DynamicsRecorder as DynamicsRecorder
    from callbacks.uncertainty_calibration import UncertaintyCalibration as UncertaintyCalibration
    from callbacks.unreadable_images import UnreadableMonitor as UnreadableMonitor
    from callbacks.weight_average import WeightAverage as WeightAverage

    VISUALIZERS: tuple[type[Any], ...]

HOMES = {
    "AutoBatchSize": "batch_size",
    "BestMetricBar": "best_metric_bar",
    "ChosenMetric": "chosen_metric",
    "ClassCounts": "class_counts",
    "CorruptionTest": "corruption_test",
    "DataVisualizer": "data_visualizer",
    "DynamicsRecorder": "training_dynamics",
    "FiniteCheck": "finite_check",
    "FrozenFeatures": "frozen_features",
    "HeadStart": "head_start",
    "Interruption": "interruption",
    "LearningCurvesVisualizer": "learning_curves",
    "LearningRateRangeTest": "learning_rate_finder",
    "MemoryMonitor": "memory_monitor",
    "NoProfiler": "no_profiler",
    "OutputRecorder": "output_recorder",
    "PictureGallery": "picture_gallery",
    "PredictionWriter": "prediction_writer",
    "ProcessWatch": "process_watch",
    "ProgressiveUnfreezing": "progressive_unfreezing",
    "StopSignals": "stop_signals",
    "Stopwatch": "stopwatch",
    "TimeLimit": "time_limit",
    "TrainingCopies": "training_copies",
    "UncertaintyCalibration": "uncertainty_calibration",
    "UnreadableMonitor": "unreadable_images",
    "WeightAverage": "weight_average",
}
# Callbacks that log figures besides the pictures, in the order of the report.
WITH_FIGURES = (
    "LearningCurvesVisualizer",
    "ProgressiveUnfreezing",
    "LearningRateRangeTest",
    "DataVisualizer",
    "CorruptionTest",
)


def __getattr__(name: str) -> Any:
    if name == "VISUALIZERS":
        return tuple(__getattr__(visualizer) for visualizer in WITH_FIGURES)
    if name not in HOMES:
        raise AttributeError(f"module 'callbacks' has no attribute {name!r}")
    return getattr(import_module(f"callbacks.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*HOMES, "VISUALIZERS"])
