"""Mistakes: which images are wrong, and how sure the network was."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from callbacks.pictures.picture import Picture, Scene, Shown, Table
from callbacks.plots import plot_mistakes
from callbacks.plots.confusion.confusion_order import frequent_confusions
from callbacks.plots.drawing.texts import counted, shorten
from callbacks.plots.mistakes import NamedPrediction
from callbacks.run import ImageData
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow, grad_cam, last_feature_map

MAX_ROWS = 200  # of the table
BATCH_SIZE = 16  # images that are explained at once
NAME_LENGTH = 17  # in a title, where there are two


@dataclass(eq=False)
class Mistakes(Picture):
    """The images with the highest loss, the most frequent confusion, and the surest mistakes.

    Attributes:
        when: See `Picture`.
        num_images: Images in each of the three sheets.
        confusion: True and predicted class of the confusion to show, `[sad, neutral]`; None for
            the most frequent one.
        grad_cam: Show under each image where the evidence for the predicted class lies.

    Raises:
        ValueError: If no image is wanted.
    """

    name: ClassVar[str] = "mistakes"
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True

    num_images: int = 9
    confusion: tuple[str | int, str | int] | None = None  # YAML reads the name `3` as a number
    grad_cam: bool = True

    def __post_init__(self) -> None:
        """Refuse an empty sheet."""
        super().__post_init__()
        if self.num_images < 1:
            value = self.num_images
            raise ValueError(f"pictures.{self.name}.num_images is {value}; expected 1 or more.")

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        _indices(self.confusion, data.class_names)

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        predictions = scene.labelled_predictions
        if scene.data is None:
            raise NothingToShow("the images cannot be read again without a datamodule.")
        if predictions.correct.all():
            raise NothingToShow("every image is classified right.")
        sheets = list(self._choose(predictions, scene))
        rows = torch.cat([chosen for _, chosen, _ in sheets]).unique()  # sorted
        images = scene.read(predictions.indices[rows].tolist())
        maps = _explain(scene, images, predictions.predicted[rows]) if self.grad_cam else None
        for name, chosen, title in sheets:
            places = torch.searchsorted(rows, chosen)
            figure = plot_mistakes(
                images[places].movedim(1, -1).numpy(),
                None if maps is None else maps[places].numpy(),
                _named(predictions, chosen, scene.class_names),
                title,
            )
            yield f"{self.name}/{name}", figure
        if scene.final:
            yield self.name, _table(predictions, scene)

    def _choose(self, predictions: Predictions, scene: Scene) -> Iterator[tuple[str, Tensor, str]]:
        """Name, rows and title of each sheet."""
        names, mistakes = scene.class_names, predictions.most_confident_mistakes()
        count = f"wrong: {len(mistakes):,} of {counted(len(predictions), 'image')}"
        title = f"the highest losses, {scene.title}\n{count}"
        yield "top_loss", predictions.highest_losses()[: self.num_images], title
        true, predicted = _indices(self.confusion, names) or _most_frequent(predictions)
        of_class = predictions.labels == true
        confused = mistakes[(of_class & (predictions.predicted == predicted))[mistakes]]
        if len(confused):
            pair = " taken for ".join(shorten(names[k], NAME_LENGTH) for k in (true, predicted))
            share = f"{len(confused) / int(of_class.sum()):.0%} of the class"
            title = f"{pair}\n{scene.title}: {counted(len(confused), 'image')}, {share}"
            yield "top_confusion", confused[: self.num_images], title
        title = f"the surest mistakes, {scene.title}\n{count}"
        yield "most_confident", mistakes[: self.num_images], title


def _indices(names: Sequence[str | int] | None, class_names: Sequence[str]) -> list[int] | None:
    """Of the classes that are called so."""
    wanted = [str(name) for name in names or ()]
    for name in wanted:
        if name not in class_names:
            near = difflib.get_close_matches(name, class_names, cutoff=0.4) or class_names[:5]
            raise ValueError(
                f"pictures.mistakes.confusion names {name!r}, which is no class. "
                f"Near names: {', '.join(near)}."
            )
    return [class_names.index(name) for name in wanted] or None


def _most_frequent(predictions: Predictions) -> list[int]:
    [confusion] = frequent_confusions(predictions.confusion().numpy(), 1)
    return [confusion.true, confusion.predicted]


def _explain(scene: Scene, images: Tensor, predicted: Tensor) -> Tensor | None:
    """Grad-CAM of the predicted classes, (N, H, W); None if the network has no feature map."""
    device = next(scene.model.parameters()).device
    try:
        layer, to_map = last_feature_map(scene.model, images[:1].to(device))
    except NothingToShow:
        return None
    module = scene.model.get_submodule(layer)
    batches = zip(images.split(BATCH_SIZE), predicted.split(BATCH_SIZE), strict=True)
    maps = [
        grad_cam(scene.model, module, batch.to(device), classes.to(device), to_map)
        for batch, classes in batches
    ]
    return torch.cat(maps).cpu()


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


def _table(predictions: Predictions, scene: Scene) -> Table:
    """The misclassified images, the highest loss first."""
    rows = predictions.highest_losses()
    rows = rows[predictions.mistakes[rows]][:MAX_ROWS]
    names = scene.data.sources[scene.split].names
    named = _named(predictions, rows, scene.class_names)
    return {
        "image": [names[index] for index in predictions.indices[rows].tolist()],
        "label": [each.label for each in named],
        "predicted": [each.predicted for each in named],
        "confidence": [each.confidence for each in named],
        "loss": [each.loss for each in named],
    }
