"""Mistakes: which images are wrong, and how sure the network was."""

import difflib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from callbacks.pictures.picture import Picture, Scene, Shown, Table
from callbacks.plots import RIGHT, WRONG, plot_mistakes
from callbacks.plots.confusion_order import frequent_confusions
from callbacks.plots.sheet import shorten
from models.explain import NothingToShow, grad_cam, last_feature_map
from models.metrics import confusion_counts
from models.verdicts import Verdicts, judge

MAX_ROWS = 200  # of the table
BATCH_SIZE = 16  # images that are explained at once
NAME_LENGTH = 15  # leaves room for a probability beside it


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

    num_images: int = 9
    confusion: tuple[str, str] | None = None
    grad_cam: bool = True

    def __post_init__(self) -> None:
        """Refuse an empty sheet."""
        super().__post_init__()
        if self.num_images < 1:
            value = self.num_images
            raise ValueError(f"pictures.{self.name}.num_images is {value}; expected 1 or more.")

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        said = scene.said()
        verdicts = judge(said.logits, said.labels, said.indices)
        if scene.data is None or not len(verdicts.labels):
            raise NothingToShow("the images have no labels, or cannot be read again.")
        if verdicts.right.all():
            raise NothingToShow("every image is classified right.")
        sheets = list(self._choose(verdicts, scene))
        rows = torch.cat([chosen for _, chosen, _ in sheets]).unique()  # sorted
        images = scene.read(verdicts.indices[rows].tolist())
        maps = _explain(scene, images, verdicts.predicted[rows]) if self.grad_cam else None
        for name, chosen, title in sheets:
            places = torch.searchsorted(rows, chosen)
            figure = plot_mistakes(
                images[places].movedim(1, -1).numpy(),
                None if maps is None else maps[places].numpy(),
                _captions(verdicts, chosen, scene.class_names),
                [RIGHT if right else WRONG for right in verdicts.right[chosen]],
                title,
            )
            yield f"{self.name}/{name}", figure
        if scene.final:
            yield self.name, _table(verdicts, scene)

    def _choose(self, verdicts: Verdicts, scene: Scene) -> Iterator[tuple[str, Tensor, str]]:
        """Name, rows and title of each sheet."""
        names, surest = scene.class_names, verdicts.surest_mistakes()
        count = f"{len(surest):,} of {len(verdicts.labels):,} images are wrong"
        title = f"the highest losses, {scene.title}\n{count}"
        yield "top_loss", verdicts.by_loss()[: self.num_images], title
        true, predicted = _indices(self.confusion, names) or _most_frequent(verdicts, len(names))
        of_class = verdicts.labels == true
        confused = surest[(of_class & (verdicts.predicted == predicted))[surest]]
        if len(confused):
            pair = " taken for ".join(shorten(names[k], 22) for k in (true, predicted))
            share = f"{len(confused) / int(of_class.sum()):.0%} of the class"
            title = f"{pair}, {scene.title}\n{len(confused):,} images, {share}; the surest first"
            yield "top_confusion", confused[: self.num_images], title
        title = f"the surest mistakes, {scene.title}\n{count}"
        yield "most_confident", surest[: self.num_images], title


def _indices(names: Sequence[str] | None, class_names: Sequence[str]) -> list[int] | None:
    """Of the classes that are called so."""
    for name in names or ():
        if name not in class_names:
            near = difflib.get_close_matches(name, class_names, cutoff=0.4) or class_names[:5]
            raise ValueError(
                f"pictures.mistakes.confusion names {name!r}, which is no class. "
                f"Near names: {', '.join(near)}."
            )
    return [class_names.index(name) for name in names] if names else None


def _most_frequent(verdicts: Verdicts, num_classes: int) -> list[int]:
    counts = confusion_counts(verdicts.predicted, verdicts.labels, num_classes)
    [confusion] = frequent_confusions(counts.numpy(), 1)
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


def _captions(verdicts: Verdicts, rows: Tensor, class_names: Sequence[str]) -> list[str]:
    """What each image was taken for and what it is, with the probabilities of both."""
    names = [shorten(name, NAME_LENGTH) for name in class_names]
    return [
        f"{names[guess]} ({sure:.0%})\n"
        + ("right" if guess == true else f"not {names[true]} ({math.exp(-loss):.0%})")
        + f"\nloss {loss:.2f}"
        for guess, sure, true, loss in zip(
            verdicts.predicted[rows].tolist(),
            verdicts.confidence[rows].tolist(),
            verdicts.labels[rows].tolist(),
            verdicts.losses[rows].tolist(),
            strict=True,
        )
    ]


def _table(verdicts: Verdicts, scene: Scene) -> Table:
    """The images that are wrong, that with the highest loss first."""
    rows = verdicts.by_loss()
    rows = rows[~verdicts.right[rows]][:MAX_ROWS]
    names = scene.data.sources[scene.split].names
    return {
        "image": [names[index] for index in verdicts.indices[rows].tolist()],
        "label": [scene.class_names[k] for k in verdicts.labels[rows].tolist()],
        "predicted": [scene.class_names[k] for k in verdicts.predicted[rows].tolist()],
        "confidence": verdicts.confidence[rows].tolist(),
        "loss": verdicts.losses[rows].tolist(),
    }
