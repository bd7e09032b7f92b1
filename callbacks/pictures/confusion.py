"""Confusion matrices: what is taken for what."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from callbacks.pictures.picture import Picture, Scene, Shown
from callbacks.plots import plot_confusion_matrix
from callbacks.plots.confusion.confusion_order import frequent_confusions
from callbacks.plots.drawing.texts import counted
from models.evaluation.confusion import accuracy

MAX_ROWS = 200  # of the table


@dataclass(eq=False)
class ConfusionMatrix(Picture):
    """What is taken for what, in percent of each true class and in images.

    Attributes:
        when: See `Picture`.
    """

    name: ClassVar[str] = "confusion_matrix"
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        confusion, names = scene.labelled_predictions.confusion(), scene.class_names
        counts = confusion.numpy()
        images = counted(int(counts.sum()), "image")
        title = f"{scene.title}: {images}, accuracy {accuracy(confusion):.1%}"
        for name, normalize in ((self.name, True), ("confusion_counts", False)):
            yield name, plot_confusion_matrix(counts, names, title, normalize)
        if scene.final:
            confusions = frequent_confusions(counts, MAX_ROWS)
            yield (
                "confusions",
                {
                    "true": [names[confusion.true] for confusion in confusions],
                    "predicted": [names[confusion.predicted] for confusion in confusions],
                    "images": [confusion.images for confusion in confusions],
                    "share of the true class": [confusion.share for confusion in confusions],
                },
            )
