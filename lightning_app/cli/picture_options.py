"""Options of the pictures: `--pictures.<name> false`, and the settings of each."""

from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.cli import LightningArgumentParser

from callbacks import (
    ChosenMetric,
    ClassCounts,
    DataVisualizer,
    DynamicsRecorder,
    LearningCurvesVisualizer,
    OutputRecorder,
    PictureGallery,
    PredictionWriter,
    TrainingCopies,
    UncertaintyCalibration,
)
from callbacks.pictures import PICTURES, Picture

BUDGET = 0.05


def picture_types() -> dict[str, type[Picture] | type[Callback]]:
    """Everything that `pictures` switches on and off, by the name of its option."""
    others = {other.name: other for other in (DataVisualizer, LearningCurvesVisualizer)}
    return {**PICTURES, **others}


def add_pictures(parser: LightningArgumentParser) -> None:
    """Add an option for each picture, and one for the work that they may take."""
    for name, picture in picture_types().items():
        parser.add_argument(
            f"--pictures.{name}",
            type=picture | bool,
            default=picture(),
            help=f"{(picture.__doc__ or '').splitlines()[0]} `false` switches it off.",
        )
    parser.add_argument(
        "--pictures.budget",
        type=float,
        default=BUDGET,
        help="Share of the work of training that pictures may take before the last epoch; 0 for "
        "no picture, only tables. Work is counted in operations, not in seconds.",
    )


def picture_callbacks(
    settings: dict[str, Any], predictions: dict[str, Any], metric: str | None = None
) -> list[Callback]:
    """Callbacks for the pictures which are switched on and for tables, in the order that they need.

    Args:
        settings: The section `pictures` of the configuration.
        predictions: The section `predictions`; see `PredictionWriter`.
        metric: The metric that chooses the best checkpoint; None for the default.
    """
    recorder = OutputRecorder()
    chosen_metric = [ChosenMetric(recorder, metric)] if metric else []
    writers = [PredictionWriter(recorder, **predictions), TrainingCopies(recorder), ClassCounts()]
    budget = settings.pop("budget")
    types = picture_types()
    chosen = [
        types[name]() if setting is True else setting
        for name, setting in settings.items()
        if setting
    ]
    pictures = [picture for picture in chosen if isinstance(picture, Picture)]
    others = [callback for callback in chosen if isinstance(callback, Callback) and budget]
    dynamics, uncertainty = DynamicsRecorder(), UncertaintyCalibration(recorder)
    gallery = PictureGallery(pictures, recorder, budget, dynamics)
    return [recorder, dynamics, uncertainty, *chosen_metric, gallery, *writers, *others]
