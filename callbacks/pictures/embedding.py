"""Embedding: a map of the validation images by their features."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from callbacks.figure_kind import FigureKind
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput
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
MAX_NAMED = 30  # of more classes, the names would cover the map
MOST_MIXED = 15  # classes that are named instead
ROOM = 0.06  # share of the map's width that a thumbnail takes
MAX_TSNE = 1000  # images: it takes a second for 400, 3 for 1,000 and 8 for 2,000


@dataclass(eq=False)
class Embedding(Picture):
    """Map of the validation images: their features in two dimensions, coloured by class.

    The features are the input of the head. Mistakes have a black ring. Each map is rotated so that
    a class lies in about the same direction at every epoch and in every run. At the end of a fit,
    the metric `neighbour_agreement` is logged: the share of an image's nearest neighbours in
    feature space that have the same class.

    Attributes:
        when: See `Picture`.
        method: `pca`: principal components, which preserve distances. `tsne`: t-SNE, which shows
            groups but takes seconds. `both`: PCA each time, and t-SNE too at the end.
        thumbnails: Most images to show as thumbnails instead of points, as far as there is room.
        num_neighbours: Nearest neighbours to count; fewer for images of smaller classes.
    """

    name: ClassVar[str] = "embedding"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind("embedding", "errors", "Mistakes"),
        FigureKind("embedding_tsne", "errors", "Mistakes"),
    )
    needs_labels: ClassVar[bool] = True

    method: Method = "both"
    thumbnails: int = 0
    num_neighbours: int = 10

    def __post_init__(self) -> None:
        """Check the settings."""
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

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        features, rows = _features_of_labelled(context)
        labels = context.predictions.labels[rows]
        agreement = neighbour_agreement(features, labels, self.num_neighbours)
        if self.method != "tsne":
            plane = principal_components(features)
            what = f"PCA of {{}}, {100 * plane.explained.sum():.0f} % of the variance"
            yield self.name, self._map(context, plane.points, rows, agreement, what)
        if self.method == "tsne" or (self.method == "both" and context.final):
            step = -(-len(rows) // MAX_TSNE)
            points = tsne(features[::step])
            name = self.name if self.method == "tsne" else f"{self.name}_tsne"
            yield name, self._map(context, points, rows[::step], agreement[::step], "t-SNE of {}")
        if context.final:
            yield "neighbour_agreement", float(agreement.mean())

    def _map(
        self, context: PictureContext, points: Tensor, rows: Tensor, agreement: Tensor, what: str
    ) -> Figure:
        predictions = context.predictions
        labels = predictions.labels[rows]
        points = turned_by_class(points, labels, len(context.class_names))
        named, note = labels.unique().tolist(), ""
        if len(named) > MAX_NAMED:
            named = most_mixed(labels, agreement, MOST_MIXED)
            note = "; names: the most mixed classes" if named else ""
        return plot_embedding(
            points.numpy(),
            labels.numpy(),
            predictions.mistakes[rows].numpy(),
            context.class_names,
            named,
            f"Embedding, {context.title}: {what.format(counted(len(rows), 'image'))}\n"
            f"{100 * agreement.mean():.0f} % of the nearest neighbours have the same class; "
            f"black rings: mistakes{note}",
            self._thumbnails(context, points, rows),
        )

    def _thumbnails(
        self, context: PictureContext, points: Tensor, rows: Tensor
    ) -> Thumbnails | None:
        if not self.thumbnails or context.data is None:
            return None
        shown = spread_rows(points, self.thumbnails, ROOM)
        images = context.read(context.predictions.indices[rows[shown]].tolist())
        return Thumbnails(np.array(shown), images.movedim(1, -1).numpy())


def _features_of_labelled(context: PictureContext) -> tuple[Tensor, Tensor]:
    """The sampled features of labelled images, (M, D), and their rows in the predictions, (M,)."""
    sampled = context.outputs.features if context.outputs else None
    if sampled is not None:
        known = context.predictions.labels[sampled.rows] >= 0
        if known.sum() >= MIN_IMAGES:
            return sampled.values[known], sampled.rows[known]
    raise NothingToShow("an embedding needs the features of three labelled images.")
