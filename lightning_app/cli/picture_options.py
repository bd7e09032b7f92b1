"""The pictures of a run as settings: `--pictures.<name> false` for none, or options of each."""

from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.cli import LightningArgumentParser

from callbacks import (
    DataVisualizer,
    Gallery,
    LearningCurvesVisualizer,
    OutputRecorder,
    PredictionWriter,
)
from callbacks.pictures import (
    ActivationMaximisation,
    Calibration,
    ClassActivation,
    ClassScores,
    ConfusionMatrix,
    Embedding,
    FeatureMaps,
    Filters,
    Honesty,
    LabelSuspects,
    Mistakes,
    Picture,
    Saliency,
)

BUDGET = 0.05
PICTURES: dict[str, type[Picture] | type[Callback]] = {  # the most wanted first
    "confusion": ConfusionMatrix,
    "grad_cam": ClassActivation,
    "saliency": Saliency,
    "filters": Filters,
    "feature_maps": FeatureMaps,
    "activation_maximisation": ActivationMaximisation,
    "mistakes": Mistakes,
    "per_class": ClassScores,
    "calibration": Calibration,
    "embedding": Embedding,
    "label_suspects": LabelSuspects,
    "honesty": Honesty,
    "data": DataVisualizer,
    "curves": LearningCurvesVisualizer,
}


def add_pictures(parser: LightningArgumentParser) -> None:
    """Add an option for each picture, and the time that they may take."""
    for name, picture in PICTURES.items():
        parser.add_argument(
            f"--pictures.{name}",
            type=picture | bool,
            default=picture(),
            help=f"{(picture.__doc__ or '').splitlines()[0]} `false` for none.",
        )
    parser.add_argument(
        "--pictures.budget",
        type=float,
        default=BUDGET,
        help="Share of the time of a fit that its pictures may take before its end; 0 for none.",
    )


def picture_callbacks(settings: dict[str, Any], predictions: dict[str, Any]) -> list[Callback]:
    """The callbacks that draw what is not switched off, in the order that they need.

    Args:
        settings: Of `pictures`.
        predictions: Of `predictions`; see `PredictionWriter`.
    """
    recorder = OutputRecorder()
    writer = PredictionWriter(recorder, **predictions)
    budget = settings.pop("budget")
    if budget == 0:
        return [recorder, writer]
    chosen = [
        PICTURES[name]() if setting is True else setting
        for name, setting in settings.items()
        if setting
    ]
    pictures = [picture for picture in chosen if isinstance(picture, Picture)]
    others = [callback for callback in chosen if isinstance(callback, Callback)]
    gallery = Gallery(pictures, recorder, budget)
    return [recorder, gallery, writer, *others]
