"""Mistakes: which images are misclassified, and with which confidence."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.doubts import doubtful_title
from callbacks.pictures.evidence import evidence_for
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, Table
from callbacks.plots import plot_mistakes
from callbacks.plots.confusion.order import most_frequent_confusions
from callbacks.plots.drawing.texts import counted, shorten
from callbacks.plots.mistakes import NamedPrediction
from callbacks.trainer_parts import ImageData
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow

MAX_ROWS = 200  # of the table
NAME_LENGTH = 17  # of a class in a title that names two


@dataclass(eq=False)
class Mistakes(Picture):
    """Misclassified images: highest losses, most frequent confusion, most confident mistakes.

    Attributes:
        when: See `Picture`.
        num_images: Images in each of the three figures.
        confusion: True and predicted class of the confusion to show, such as `[sad, neutral]`;
            None for the most frequent one.
        grad_cam: Show the heat map of the predicted class beside each image: Grad-CAM, or
            gradient-weighted attention rollout for a transformer.

    Raises:
        ValueError: If `num_images` is not positive.
    """

    name: ClassVar[str] = "mistakes"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind(
            "mistakes",
            "errors",
            "Mistakes",
            figures=("mistakes/top_loss", "mistakes/top_confusion", "mistakes/most_confident"),
        ),
    )
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True
    costly: ClassVar[bool] = True

    num_images: int = 9
    confusion: tuple[str | int, str | int] | None = None  # YAML reads the name `3` as a number
    grad_cam: bool = True

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if self.num_images < 1:
            value = self.num_images
            raise ValueError(f"pictures.{self.name}.num_images is {value}; expected 1 or more.")

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        _indices(self.confusion, data.class_names)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        predictions = _with_mistakes(context)
        sheets = list(self._choose(predictions, context))
        rows = torch.cat([chosen for _, chosen, _ in sheets]).unique()  # sorted
        images = context.read(predictions.indices[rows].tolist())
        maps, method, without = None, "", ""
        if self.grad_cam and context.allowance.affordable(len(rows), 1, 0) == len(rows):
            maps, method = evidence_for(context, images, predictions.predicted[rows])
        elif self.grad_cam:
            without = "\nwithout heat maps, to keep to the budget"
        for name, chosen, title in sheets:
            places = torch.searchsorted(rows, chosen)
            figure = plot_mistakes(
                images[places].movedim(1, -1).numpy(),
                None if maps is None else maps[places].numpy(),
                _named(predictions, chosen, context.class_names),
                doubtful_title(title + without, context, [method]),
            )
            yield f"{self.name}/{name}", figure
        if context.final:
            yield from self.tables(context)

    def tables(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        yield self.name, _table(_with_mistakes(context), context)

    def _choose(
        self, predictions: Predictions, context: PictureContext
    ) -> Iterator[tuple[str, Tensor, str]]:
        """Name, rows and title of each figure."""
        names, mistakes = context.class_names, predictions.most_confident_mistakes()
        highest = predictions.highest_losses()[: self.num_images]
        found = f"{counted(len(mistakes), 'mistake')} among {counted(len(predictions), 'image')}"
        of_images = f"{len(highest)} of {counted(len(predictions), 'image')}"
        yield "top_loss", highest, f"Highest losses, {context.title}: {of_images}\n{found}"
        true, predicted = _indices(self.confusion, names) or _most_frequent(predictions)
        of_class = predictions.labels == true
        confused = mistakes[(of_class & (predictions.predicted == predicted))[mistakes]]
        if len(confused):
            shown = confused[: self.num_images]
            pair = " predicted as ".join(shorten(names[k], NAME_LENGTH) for k in (true, predicted))
            share = f"{len(confused) / int(of_class.sum()):.0%} of the class"
            of_pair = f"{len(shown)} of {counted(len(confused), 'image')}"
            what = "Confusion" if self.confusion else "Most frequent confusion"
            title = f"{what}, {context.title}: {of_pair}\n{pair}, {share}"
            yield "top_confusion", shown, title
        shown = mistakes[: self.num_images]
        of_mistakes = f"{len(shown)} of {len(mistakes):,}"
        title = f"Most confident mistakes, {context.title}: {of_mistakes}\n{found}"
        yield "most_confident", shown, title


def _with_mistakes(context: PictureContext) -> Predictions:
    """The predictions, if there are mistakes among them and their images have names."""
    predictions = context.labelled_predictions
    if context.data is None:
        raise NothingToShow("the images cannot be read again without a datamodule.")
    if predictions.correct.all():
        raise NothingToShow("every image is classified correctly.")
    return predictions


def _indices(names: Sequence[str | int] | None, class_names: Sequence[str]) -> list[int] | None:
    """Indices of classes by name; None without names."""
    wanted = [str(name) for name in names or ()]
    for name in wanted:
        if name not in class_names:
            near = difflib.get_close_matches(name, class_names, cutoff=0.4) or class_names[:5]
            raise ValueError(
                f"pictures.mistakes.confusion names {name!r}, which is not a class. "
                f"Near names: {', '.join(near)}."
            )
    return [class_names.index(name) for name in wanted] or None


def _most_frequent(predictions: Predictions) -> list[int]:
    [confusion] = most_frequent_confusions(predictions.confusion().numpy(), 1)
    return [confusion.true, confusion.predicted]


def _named(
    predictions: Predictions, rows: Tensor, class_names: Sequence[str]
) -> list[NamedPrediction]:
    return [
        NamedPrediction(
            class_names[int(predictions.predicted[row])],
            float(predictions.confidence[row]),
            class_names[int(predictions.labels[row])],
            float(predictions.losses[row]),
        )
        for row in rows.tolist()
    ]


def _table(predictions: Predictions, context: PictureContext) -> Table:
    """The misclassified images, the highest loss first."""
    rows = predictions.highest_losses()
    rows = rows[predictions.mistakes[rows]][:MAX_ROWS]
    names = context.data.sources[context.split].names
    named = _named(predictions, rows, context.class_names)
    return {
        "image": [names[index] for index in predictions.indices[rows].tolist()],
        "label": [each.label for each in named],
        "predicted": [each.predicted for each in named],
        "confidence": [each.confidence for each in named],
        "loss": [each.loss for each in named],
    }
