"""Options of the pictures: `--pictures.<name> false`, the settings of each, `--pictures false`."""

import re
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.cli import LightningArgumentParser

from callbacks import (
    DataVisualizer,
    LearningCurvesVisualizer,
    OutputRecorder,
    PictureGallery,
    PredictionWriter,
    TrainingCopies,
)
from callbacks.pictures import PICTURES, Picture

BUDGET = 0.05
OFF = "--pictures.budget=0"  # draws nothing
ALL_OFF = re.compile(r"^pictures:[ \t]*false[ \t]*(?=#|$)", re.IGNORECASE | re.MULTILINE)


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
        "none. Work is counted in operations, not in seconds.",
    )


def picture_callbacks(settings: dict[str, Any], predictions: dict[str, Any]) -> list[Callback]:
    """Callbacks that draw the pictures which are switched on, in the order that they need.

    Args:
        settings: The section `pictures` of the configuration.
        predictions: The section `predictions`; see `PredictionWriter`.
    """
    recorder = OutputRecorder()
    writers = [PredictionWriter(recorder, **predictions), TrainingCopies(recorder)]
    budget = settings.pop("budget")
    if budget == 0:
        return [recorder, *writers]
    types = picture_types()
    chosen = [
        types[name]() if setting is True else setting
        for name, setting in settings.items()
        if setting
    ]
    pictures = [picture for picture in chosen if isinstance(picture, Picture)]
    others = [callback for callback in chosen if isinstance(callback, Callback)]
    gallery = PictureGallery(pictures, recorder, budget)
    return [recorder, gallery, *writers, *others]


def with_pictures_off(config: str) -> str:
    """The text of a configuration with `pictures: false` replaced; lines keep their numbers."""
    return ALL_OFF.sub("pictures: {budget: 0}  ", config)
