"""Class scores: precision, recall and F1 of each class."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from callbacks.figure_kind import FigureKind
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, Table
from callbacks.plots import plot_class_scores
from callbacks.plots.drawing.texts import counted
from models.evaluation.confusion import ClassScores as Scores
from models.evaluation.confusion import accuracy, class_scores, f1_macro
from models.evaluation.intervals import Intervals, bootstrap_intervals


@dataclass(eq=False)
class ClassScores(Picture):
    """Precision, recall, F1 and support of each class, with 95 % bootstrap intervals.

    Attributes:
        when: See `Picture`.
    """

    name: ClassVar[str] = "per_class"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("per_class", "errors", "Mistakes"),)
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        confusion, names = context.labelled_predictions.confusion(), context.class_names
        scores, intervals = class_scores(confusion), bootstrap_intervals(confusion)
        low, high = intervals.f1
        columns = {"low": low, "high": high, **scores._asdict()}
        title = (
            f"Scores of each class, {context.title}: {counted(int(confusion.sum()), 'image')}\n"
            + ", ".join(
                f"{label} {value:.1%} (95 % interval {100 * ends[0]:.1f} to {100 * ends[1]:.1f})"
                for label, value, ends in _overall(confusion, intervals)
            )
        )
        arrays = {name: column.numpy() for name, column in columns.items()}
        yield self.name, plot_class_scores(arrays, names, title)
        if context.final:
            yield self.name, {"class": list(names), **_columns(scores, intervals)}
            yield "scores", _score_table(confusion, intervals)

    def tables(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        confusion = context.labelled_predictions.confusion()
        scores, intervals = class_scores(confusion), bootstrap_intervals(confusion)
        yield self.name, {"class": list(context.class_names), **_columns(scores, intervals)}
        yield "scores", _score_table(confusion, intervals)


def _overall(confusion: Tensor, intervals: Intervals) -> list[tuple[str, float, list[float]]]:
    """Name, value and interval of the scores over all classes."""
    return [
        ("accuracy", accuracy(confusion).item(), intervals.overall_accuracy.tolist()),
        ("macro F1", f1_macro(confusion).item(), intervals.f1_macro.tolist()),
    ]


def _columns(scores: Scores, intervals: Intervals) -> Table:
    """The scores of each class, followed by the ends of their intervals."""
    ends = {
        f"{name}_{end}": getattr(intervals, name)[row].tolist()
        for name in ("precision", "recall", "f1")
        for row, end in enumerate(("low", "high"))
    }
    return {name: column.tolist() for name, column in scores._asdict().items()} | ends


def _score_table(confusion: Tensor, intervals: Intervals) -> Table:
    overall = _overall(confusion, intervals)
    return {
        "metric": ["accuracy", "f1_macro"],
        "value": [value for _, value, _ in overall],
        "low": [low for _, _, (low, _) in overall],
        "high": [high for _, _, (_, high) in overall],
    }
