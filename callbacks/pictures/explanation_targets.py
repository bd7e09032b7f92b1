"""Explanation targets: the probe images, the class to explain for each, and their captions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from callbacks.pictures.picture import PictureContext
from callbacks.plots.drawing.style import BAD, GOOD, NEUTRAL
from models.evaluation.predictions import UNLABELLED, Predictions

Order = Literal["spread", "first"]

LISTED = 8  # classes that an error names


@dataclass(frozen=True, eq=False)
class ExplanationTargets:
    """Probe images, and the class to explain for each of them.

    Attributes:
        images: (N, C, H, W) in [0, 1], on the device of the model.
        classes: The class to explain for each image, (N,).
        captions: A line or more for each image: its file, if the user named it, the prediction
            with its confidence, and the true class of a mistake.
        colors: Colour of each caption: correct, mistake or unknown.
        what: Which class is explained, for a title.
    """

    images: Tensor
    classes: Tensor
    captions: list[str]
    colors: list[str]
    what: str


def class_to_explain(wanted: str, class_names: Sequence[str], picture: str) -> int | None:
    """Index of the class that a setting names; None for `predicted` and `true`.

    Raises:
        ValueError: If it is neither of these nor a class.
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


def find_targets(
    context: PictureContext, num_images: int, wanted: str, picture: str, order: Order = "spread"
) -> ExplanationTargets:
    """Classify the probe images and choose the class to explain for each.

    Args:
        context: Model and images.
        num_images: Number of probe images.
        wanted: `predicted`, `true`, or the name of a class. For an image without a label, `true`
            means the predicted class.
        picture: Name of the picture that has this setting, for the error.
        order: Which images: `spread` over the classes, or the `first` ones of the split.

    Raises:
        ValueError: If `wanted` is none of these.
    """
    chosen = class_to_explain(wanted, context.class_names, picture)
    choose = context.first if order == "first" else context.sample
    images, labels = choose(num_images)
    with torch.no_grad():
        logits = context.model(images).float().cpu()
    predictions = Predictions(logits, labels.cpu(), torch.arange(len(labels)))
    predicted = predictions.predicted.to(images.device)
    classes = predicted if chosen is None else torch.full_like(predicted, chosen)
    if wanted == "true":
        classes = torch.where(labels == UNLABELLED, predicted, labels)
    captions, colors = [], []
    for guess, true, confidence in zip(
        predicted.tolist(), labels.tolist(), predictions.confidence.tolist(), strict=True
    ):
        mistake = "" if true in (guess, UNLABELLED) else f"\nnot {context.class_names[true]}"
        captions.append(f"{context.class_names[guess]} {confidence:.0%}{mistake}")
        colors.append(NEUTRAL if true == UNLABELLED else GOOD if guess == true else BAD)
    if context.names is not None:
        pairs = zip(context.names(num_images), captions, strict=True)
        captions = [f"{name}\n{caption}" for name, caption in pairs]
    what = {"predicted": "the predicted class", "true": "the true class"}.get(wanted, wanted)
    return ExplanationTargets(images, classes, captions, colors, what)
