"""Training dynamics: a map of the training images by how the network learned them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from callbacks.figure_kind import FigureKind
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, When
from callbacks.plots.drawing.texts import counted
from callbacks.plots.training_dynamics import plot_training_dynamics
from models.evaluation.training_dynamics import TrainingDynamics
from models.explain import NothingToShow

DIGITS = 5  # of the numbers in the table
MAX_POINTS = 5000
TWICE = 2  # times that an image has to be seen to have a spread
TABLE = "tables/training_dynamics.csv"


@dataclass(eq=False)
class TrainingDynamicsMap(Picture):
    """Map of the training images: easy, ambiguous or hard to learn.

    Mean and spread of the probability of the label over the epochs (Swayamdipta et al., 2020), and
    the area under the margin (Pleiss et al., 2020), of the augmented images as they were trained
    on. Images whose mean is low are hard to learn, or their label is wrong.

    `tables/training_dynamics.csv` has a row for each training image: label, mean, spread, margin,
    the most probable other class, and how often the image was seen.

    Attributes:
        when: See `Picture`; the map is drawn at the end of a fit.
        num_images: Images at each corner.
    """

    name: ClassVar[str] = "training_dynamics"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind("training_dynamics", "data", shows_images=False),
    )
    needs_labels: ClassVar[bool] = True

    when: When = "last"
    num_images: int = 4

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if self.num_images < 1:
            raise ValueError(
                f"pictures.{self.name}.num_images is {self.num_images}; expected 1 or more."
            )

    def tables(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        yield TABLE, _table(_dynamics(context), context)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        found = _dynamics(context)
        rows = found.counts.nonzero().flatten()
        shown = rows[torch.linspace(0, len(rows) - 1, min(len(rows), MAX_POINTS)).round().long()]
        corners = {
            name: self._corner(order[: self.num_images], found, context)
            for name, order in _corners(found, rows, self.num_images).items()
        }
        title = f"How the training images were learned, {context.title}: "
        title += counted(len(rows), "image") + _seldom_seen(found)
        yield (
            self.name,
            plot_training_dynamics(
                found.mean[shown].numpy(),
                found.spread[shown].numpy(),
                found.margin[shown].numpy(),
                corners,
                title,
            ),
        )
        yield TABLE, _table(found, context)

    def _corner(
        self, rows: Tensor, found: TrainingDynamics, context: PictureContext
    ) -> tuple[np.ndarray, list[str]]:
        images = context.data.images("train", rows.tolist()).movedim(1, -1).numpy()
        labels, others = _labels(context), _others(found, context).tolist()
        names = context.class_names
        captions = [
            f"{names[labels[row]]}\n{100 * found.mean[row]:.0f} %"
            + f", or {names[others[row]]}" * bool(found.mean[row] < 0.5)
            for row in rows.tolist()
        ]
        return images, captions


def _dynamics(context: PictureContext) -> TrainingDynamics:
    if context.dynamics is None or context.data is None:
        raise NothingToShow("training dynamics are only known at the end of a fit.")
    return context.dynamics


def _seldom_seen(found: TrainingDynamics) -> str:
    """A line of the title on the images whose spread says nothing."""
    seldom = int((found.counts < TWICE).sum())
    total = counted(len(found.counts), "training image")
    return f"\nseen once or never: {seldom:,} of {total}" if seldom else ""


def _corners(found: TrainingDynamics, rows: Tensor, number: int) -> dict[str, Tensor]:
    """Rows of the images at each corner of the map, the most typical first.

    An image that was seen once has no spread, and is not said to be easy or hard.
    """
    often = rows[found.counts[rows] >= TWICE]
    if len(often) < min(number, len(rows)):
        order = rows[found.mean[rows].argsort(stable=True)]
        return {"most probable label": order.flip(0), "least probable label": order}
    mean, spread = found.mean[often], found.spread[often]
    return {
        "easy to learn": often[(mean - spread).argsort(descending=True, stable=True)],
        "ambiguous: the largest spread": often[spread.argsort(descending=True, stable=True)],
        "hard to learn, or a wrong label": often[mean.argsort(stable=True)],
    }


def _labels(context: PictureContext) -> Any:
    return context.data.sources["train"].labels


def _others(found: TrainingDynamics, context: PictureContext) -> Tensor:
    """The most probable other class of each image, (N,)."""
    own = torch.from_numpy(_labels(context))[:, None]
    return found.probabilities.scatter(1, own, -1.0).argmax(dim=1)


def _table(found: TrainingDynamics, context: PictureContext) -> str:
    names = np.array(context.class_names)
    columns = {
        "image": context.data.sources["train"].names,
        "label": names[_labels(context)],
        "mean": found.mean.numpy().round(DIGITS),
        "spread": found.spread.numpy().round(DIGITS),
        "margin": found.margin.numpy().round(DIGITS),
        "other": names[_others(found, context).numpy()],
        "seen": found.counts.long().numpy(),
    }
    return pd.DataFrame(columns).to_csv(index=False)
