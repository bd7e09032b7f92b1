"""Features of the validation images as a map: what lies near what."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from callbacks.pictures.picture import Picture, Scene, Shown
from callbacks.plots.drawing.texts import counted
from callbacks.plots.embedding import Thumbnails, plot_embedding
from models.evaluation.projection import (
    most_mixed,
    neighbour_agreement,
    principal_components,
    spread_rows,
    tsne,
    turned_by_class,
)
from models.explain import NothingToShow

Method = Literal["pca", "tsne", "both"]
MIN_IMAGES = 3
MAX_NAMED = 30  # classes beyond which their names would cover the map
MOST_MIXED = 15  # classes that are named then
ROOM = 0.06  # share of the map's width that a thumbnail takes
MAX_TSNE = 1000  # images: it takes a second for 400, 3 for 1,000 and 8 for 2,000


@dataclass(eq=False)
class Embedding(Picture):
    """What the head is given, in two dimensions, coloured by class: what lies near what.

    Mistakes have a black ring. Maps are turned so that each class lies in the same direction at
    every epoch and in every run, as far as it can. At the end comes the metric
    `neighbour_agreement`: the share of the nearest neighbours among the features that are of the
    same class.

    Attributes:
        when: See `Picture`.
        method: `pca`: principal components, which keep distances. `tsne`: t-SNE, which shows groups
            but takes seconds. `both`: the former each time, and the latter besides at the end.
        thumbnails: Images to show in place of their points, if there is room for so many.
        num_neighbours: Neighbours to ask; fewer of an image whose class has not so many.
    """

    name: ClassVar[str] = "embedding"
    needs_labels: ClassVar[bool] = True

    method: Method = "both"
    thumbnails: int = 0
    num_neighbours: int = 10

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        super().__post_init__()
        if self.method not in get_args(Method):
            raise ValueError(
                f"pictures.embedding.method is {self.method!r}; expected "
                f"{', '.join(get_args(Method))}."
            )
        for name, lowest in (("thumbnails", 0), ("num_neighbours", 1)):
            if (value := getattr(self, name)) < lowest:
                raise ValueError(
                    f"pictures.embedding.{name} is {value}; expected {lowest} or more."
                )

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        features, rows = _features_of_labelled(scene)
        labels = scene.predictions.labels[rows]
        agreement = neighbour_agreement(features, labels, self.num_neighbours)
        if self.method != "tsne":
            projection = principal_components(features)
            what = f"PCA of {{}}, {100 * projection.explained.sum():.0f} % of the variance"
            yield self.name, self._map(scene, projection.points, rows, agreement, what)
        if self.method == "tsne" or (self.method == "both" and scene.final):
            step = -(-len(rows) // MAX_TSNE)
            points = tsne(features[::step])
            name = self.name if self.method == "tsne" else f"{self.name}_tsne"
            yield name, self._map(scene, points, rows[::step], agreement[::step], "t-SNE of {}")
        if scene.final:
            yield "neighbour_agreement", float(agreement.mean())

    def _map(
        self, scene: Scene, points: Tensor, rows: Tensor, agreement: Tensor, what: str
    ) -> Figure:
        predictions = scene.predictions
        labels = predictions.labels[rows]
        points = turned_by_class(points, labels, len(scene.class_names))
        named, note = labels.unique().tolist(), ""
        if len(named) > MAX_NAMED:
            named = most_mixed(labels, agreement, MOST_MIXED)
            note = "; named: most mixed" if named else ""
        return plot_embedding(
            points.numpy(),
            labels.numpy(),
            predictions.mistakes[rows].numpy(),
            scene.class_names,
            named,
            f"what lies near what, {scene.title}: {what.format(counted(len(rows), 'image'))}\n"
            f"{100 * agreement.mean():.0f} % of the nearest neighbours share the class; "
            f"ringed: mistaken{note}",
            self._thumbnails(scene, points, rows),
        )

    def _thumbnails(self, scene: Scene, points: Tensor, rows: Tensor) -> Thumbnails | None:
        if not self.thumbnails or scene.data is None:
            return None
        shown = spread_rows(points, self.thumbnails, ROOM)
        images = scene.read(scene.predictions.indices[rows[shown]].tolist())
        return Thumbnails(np.array(shown), images.movedim(1, -1).numpy())


def _features_of_labelled(scene: Scene) -> tuple[Tensor, Tensor]:
    """The sampled features of labelled images, (M, D), and their rows in the predictions, (M,)."""
    sampled = scene.outputs.features if scene.outputs else None
    if sampled is not None:
        known = scene.predictions.labels[sampled.rows] >= 0
        if known.sum() >= MIN_IMAGES:
            return sampled.values[known], sampled.rows[known]
    raise NothingToShow("a map needs the features of three images whose class is known.")
