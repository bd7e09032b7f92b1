"""Scores of each class: which classes suffer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from callbacks.pictures.picture import Picture, Scene, Shown
from models.metrics import class_scores, confusion_counts


@dataclass(eq=False)
class ClassScores(Picture):
    """Precision, recall, F1 and support of each class.

    Attributes:
        when: See `Picture`.
    """

    name: ClassVar[str] = "per_class"
    splits: ClassVar[tuple[str, ...]] = ("val", "test")

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        said = scene.said()
        counts = confusion_counts(said.logits.argmax(dim=1), said.labels, len(scene.class_names))
        if scene.final:
            columns = {name: v.tolist() for name, v in class_scores(counts)._asdict().items()}
            yield self.name, {"class": list(scene.class_names), **columns}
