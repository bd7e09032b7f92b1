"""Confusion matrix: which class is predicted as which."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from callbacks.figure_kind import FigureKind
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput
from callbacks.plots import plot_confusion_matrix, plot_confusion_numbers
from callbacks.plots.confusion.layout import MAX_ANNOTATED
from callbacks.plots.confusion.matrix import grouping_of
from callbacks.plots.confusion.order import most_frequent_confusions
from callbacks.plots.drawing.texts import counted
from models.evaluation.confusion import accuracy

MAX_ROWS = 200  # of the table
# Numbers of classes with a large figure: fewer have room for numbers in the small one, and with
# more it takes too long to draw.
LARGE = range(MAX_ANNOTATED + 1, 100 + 1)


@dataclass(eq=False)
class ConfusionMatrix(Picture):
    """Confusion matrix, in percent of each true class and in images.

    For 26 to 100 classes, a large one with a number in every cell is drawn at the end.

    Attributes:
        when: See `Picture`.
    """

    name: ClassVar[str] = "confusion"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind("confusion_matrix", "errors", "Overview"),
        FigureKind("confusion_counts", "errors", "Mistakes"),
        FigureKind("confusion_numbers", "errors", "Mistakes"),
    )
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        confusion, names = context.labelled_predictions.confusion(), context.class_names
        counts = confusion.numpy()
        images = counted(int(counts.sum()), "image")
        title = f"Confusion matrix, {context.title}: {images}, accuracy {accuracy(confusion):.1%}"
        grouping = grouping_of(counts)
        for name, normalize in (("confusion_matrix", True), ("confusion_counts", False)):
            yield name, plot_confusion_matrix(counts, names, title, normalize, grouping)
        if context.final and len(names) in LARGE:
            yield "confusion_numbers", plot_confusion_numbers(counts, names, title)
        if context.final:
            yield from self.tables(context)

    def tables(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        counts, names = context.labelled_predictions.confusion().numpy(), context.class_names
        confusions = most_frequent_confusions(counts, MAX_ROWS)
        yield (
            "confusions",
            {
                "true": [names[confusion.true] for confusion in confusions],
                "predicted": [names[confusion.predicted] for confusion in confusions],
                "images": [confusion.images for confusion in confusions],
                "share of the true class": [confusion.share for confusion in confusions],
            },
        )
