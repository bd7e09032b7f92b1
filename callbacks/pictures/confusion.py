"""Confusion matrices: what is taken for what."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from callbacks.pictures.picture import Picture, Scene, Shown
from callbacks.plots import plot_confusion_matrix
from models.metrics import confusion_counts


@dataclass(eq=False)
class ConfusionMatrix(Picture):
    """What is taken for what, in percent of each true class and in images.

    Attributes:
        when: See `Picture`.
    """

    name: ClassVar[str] = "confusion_matrix"
    splits: ClassVar[tuple[str, ...]] = ("val", "test")

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        said = scene.said()
        num_classes = len(scene.class_names)
        counts = confusion_counts(said.logits.argmax(dim=1), said.labels, num_classes).numpy()
        for name, normalize in ((self.name, True), ("confusion_counts", False)):
            yield name, plot_confusion_matrix(counts, scene.class_names, scene.title, normalize)
