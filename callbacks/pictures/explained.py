"""Which class of each image an explanation is about, and what is written beneath it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from callbacks.pictures.picture import Scene
from callbacks.plots.drawing.sheet import NEUTRAL, RIGHT, WRONG
from models.evaluation.predictions import UNLABELLED, Predictions

LISTED = 8  # classes that an error names


@dataclass(frozen=True, eq=False)
class Explained:
    """The probe images, what the network says of them, and the class to explain.

    Attributes:
        images: (N, C, H, W) in [0, 1], on the device of the model.
        classes: The class to explain for each, (N,).
        captions: A line or more for each: its file, if a user has named it, the prediction, how
            sure it is, and what is true.
        colors: Of each caption: right, wrong, or unknown.
        what: What is explained, for a title.
    """

    images: Tensor
    classes: Tensor
    captions: list[str]
    colors: list[str]
    what: str


def class_to_explain(wanted: str, class_names: Sequence[str], picture: str) -> int | None:
    """Number of the class that a setting names; None for `predicted` and `true`.

    Raises:
        ValueError: If it is none of these.
    """
    if wanted in ("predicted", "true"):
        return None
    if wanted in class_names:
        return list(class_names).index(wanted)
    known = ", ".join(class_names[:LISTED]) + ", …" * (len(class_names) > LISTED)
    raise ValueError(
        f"pictures.{picture}.explain is {wanted!r}; expected predicted, true, or the name of a "
        f"class: {known}."
    )


def explained(scene: Scene, num_images: int, wanted: str, picture: str) -> Explained:
    """Ask the network of the probe images.

    Args:
        scene: What may be looked at.
        num_images: How many of them.
        wanted: `predicted`, `true`, or the name of a class. An image whose class is not known is
            explained by its prediction.
        picture: Whose setting that is, for an error.

    Raises:
        ValueError: If it is none of these.
    """
    chosen = class_to_explain(wanted, scene.class_names, picture)
    images, labels = scene.sample(num_images)
    with torch.no_grad():
        logits = scene.model(images).float().cpu()
    found = Predictions(logits, labels.cpu(), torch.arange(len(labels)))
    predicted = found.predicted.to(images.device)
    classes = predicted if chosen is None else torch.full_like(predicted, chosen)
    if wanted == "true":
        classes = torch.where(labels == UNLABELLED, predicted, labels)
    captions, colors = [], []
    for guess, true, sure in zip(
        predicted.tolist(), labels.tolist(), found.confidence.tolist(), strict=True
    ):
        wrong = "" if true in (guess, UNLABELLED) else f"\nnot {scene.class_names[true]}"
        captions.append(f"{scene.class_names[guess]} {sure:.0%}{wrong}")
        colors.append(NEUTRAL if true == UNLABELLED else RIGHT if guess == true else WRONG)
    if scene.names is not None:
        pairs = zip(scene.names(num_images), captions, strict=True)
        captions = [f"{name}\n{caption}" for name, caption in pairs]
    what = {"predicted": "the prediction", "true": "the true class"}.get(wanted, wanted)
    return Explained(images, classes, captions, colors, what)
