"""Calibration: whether confidence equals accuracy, before and after temperature scaling."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from callbacks.figure_kind import FigureKind
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput
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
    """Reliability diagram: accuracy against confidence, before and after temperature scaling.

    Each half of the split is scaled by a temperature that was fitted on the other half. At the end
    these metrics are logged: `ece` and `ece_scaled` (expected calibration error, in [0, 1]),
    `temperature` (fitted on the whole split, to divide logits by), `aurc` (area under the curve of
    risk against coverage) and `brier` (Brier score).

    Attributes:
        when: See `Picture`.
        num_bins: Bins of confidence.
        equal_mass: Make bins with equally many images, instead of equally wide ones.
    """

    name: ClassVar[str] = "calibration"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("calibration", "errors", "Mistakes"),)
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True

    num_bins: int = NUM_BINS
    equal_mass: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if self.num_bins < 1:
            raise ValueError(
                f"pictures.{self.name}.num_bins is {self.num_bins}; expected 1 or more."
            )

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        predictions = context.labelled_predictions
        logits, labels = predictions.logits, predictions.labels
        if len(labels) < 2:
            raise NothingToShow("calibration needs two labelled images.")
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
                _series("before scaling", before, predictions),
                _series(_scaling(temperatures), after, scaled)
                if _is_fitted(temperatures)
                else None,
                risk.numpy(),
                chance_error(before),
                f"Reliability: accuracy against confidence, {context.title}\n"
                f"{counted(len(labels), 'image')}, Brier score {brier:.3f}",
            ),
        )
        if context.final:
            yield "ece", calibration_error(before)
            yield "ece_scaled", calibration_error(after)
            yield "temperature", fit_temperature(logits, labels)
            yield "aurc", float(risk.mean())
            yield "brier", brier


def _is_fitted(temperatures: Sequence[float]) -> bool:
    """Whether all temperatures lie inside the range of the fit, not at its ends."""
    coldest, hottest = TEMPERATURES
    return all(1.01 * coldest < temperature < 0.99 * hottest for temperature in temperatures)


def _scaling(temperatures: Sequence[float]) -> str:
    first, second = temperatures
    return f"after scaling by {first:.2f} and {second:.2f} (two halves)"


def _series(name: str, bins: Bins, predictions: Predictions) -> Reliability:
    label = f"{name}: ECE {100 * calibration_error(bins):.1f} %"
    return Reliability(label, *(values.numpy() for values in (*bins, predictions.confidence)))
