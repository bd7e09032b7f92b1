"""Calibration: is what the network is 90 % sure of right nine times of ten?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from callbacks.pictures.picture import Picture, Scene, Shown
from callbacks.plots.calibration import Reliability, plot_calibration
from callbacks.plots.drawing.texts import counted
from models.evaluation.calibration import (
    NUM_BINS,
    Bins,
    brier_scores,
    calibration_error,
    chance_error,
    reliability,
    risk_coverage,
)
from models.evaluation.predictions import Predictions
from models.evaluation.temperature import TEMPERATURES, fit_temperature, scale_by_halves
from models.explain import NothingToShow


@dataclass(eq=False)
class Calibration(Picture):
    """Whether confidence can be believed, before and after temperature scaling.

    No image is judged by a temperature that it helped to fit: each half of the split is scaled by
    that of the other. At the end come the metrics `ece` and `ece_scaled` (expected calibration
    error, in [0, 1]), `temperature`, fitted on the whole split, to divide logits by, `aurc` (area
    under risk against coverage) and `brier`.

    Attributes:
        when: See `Picture`.
        num_bins: Bins of confidence.
        equal_mass: Whether bins hold equally many images; else they are equally wide.
    """

    name: ClassVar[str] = "calibration"
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True

    num_bins: int = NUM_BINS
    equal_mass: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        super().__post_init__()
        if self.num_bins < 1:
            raise ValueError(
                f"pictures.calibration.num_bins is {self.num_bins}; expected 1 or more."
            )

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        predictions = scene.labelled_predictions
        logits, labels = predictions.logits, predictions.labels
        if len(labels) < 2:
            raise NothingToShow("calibration needs two images whose class is known.")
        scaled_logits, temperatures = scale_by_halves(logits, labels)
        scaled = replace(predictions, logits=scaled_logits)
        before, after = (
            reliability(each.confidence, each.correct, self.num_bins, self.equal_mass)
            for each in (predictions, scaled)
        )
        risk = risk_coverage(predictions.confidence, predictions.correct)
        brier = float(brier_scores(predictions).mean())
        yield (
            self.name,
            plot_calibration(
                _series("as it is", before, predictions),
                _series(_scaling(temperatures), after, scaled)
                if _is_fitted(temperatures)
                else None,
                risk.numpy(),
                chance_error(before),
                f"{scene.title}: is what it is p % sure of right p % of the time? "
                f"{counted(len(labels), 'image')}, Brier score {brier:.3f}",
            ),
        )
        if scene.final:
            yield "ece", calibration_error(before)
            yield "ece_scaled", calibration_error(after)
            yield "temperature", fit_temperature(logits, labels)
            yield "aurc", float(risk.mean())
            yield "brier", brier


def _is_fitted(temperatures: Sequence[float]) -> bool:
    """Whether all of them are between the ends of what may come of a fit."""
    coldest, hottest = TEMPERATURES
    return all(1.01 * coldest < temperature < 0.99 * hottest for temperature in temperatures)


def _scaling(temperatures: Sequence[float]) -> str:
    first, second = temperatures
    return f"scaled by temperature ({first:.2f} and {second:.2f}, by halves)"


def _series(name: str, bins: Bins, predictions: Predictions) -> Reliability:
    label = f"{name}: ECE {100 * calibration_error(bins):.1f} %"
    return Reliability(label, *(values.numpy() for values in (*bins, predictions.confidence)))
