"""Which class of each image an explanation is about, and what is written beneath it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from callbacks.pictures.picture import Scene
from callbacks.plots.sheet import NEUTRAL, RIGHT, WRONG

UNKNOWN = -1  # label of an image that a user names


@dataclass(frozen=True, eq=False)
class Explained:
    """The probe images, what the network says of them, and the class to explain.

    Attributes:
        images: (N, C, H, W) in [0, 1], on the device of the model.
        classes: The class to explain for each, (N,).
        captions: A line or two for each: the prediction, how sure it is, and what is true.
        colors: Of each caption: right, wrong, or unknown.
        what: What is explained, for a title.
    """

    images: Tensor
    classes: Tensor
    captions: list[str]
    colors: list[str]
    what: str


def explained(scene: Scene, num_images: int, wanted: str) -> Explained:
    """Ask the network of the probe images.

    Args:
        scene: What may be looked at.
        num_images: How many of them.
        wanted: `predicted`, `true`, or the name of a class. An image whose class is not known is
            explained by its prediction.

    Raises:
        ValueError: If it is none of these.
    """
    images, labels = scene.sample(num_images)
    with torch.no_grad():
        confidences, predicted = scene.model(images).float().softmax(dim=1).max(dim=1)
    if wanted == "true":
        classes = torch.where(labels == UNKNOWN, predicted, labels)
    elif wanted == "predicted":
        classes = predicted
    elif wanted in scene.class_names:
        classes = torch.full_like(predicted, list(scene.class_names).index(wanted))
    else:
        known = ", ".join(list(scene.class_names)[:8])
        raise ValueError(
            f"explain is {wanted!r}; expected predicted, true, or the name of a class: {known}."
        )
    captions, colors = [], []
    for guess, true, sure in zip(
        predicted.tolist(), labels.tolist(), confidences.tolist(), strict=True
    ):
        wrong = "" if true in (guess, UNKNOWN) else f"\nnot {scene.class_names[true]}"
        captions.append(f"{scene.class_names[guess]} {sure:.0%}{wrong}")
        colors.append(NEUTRAL if true == UNKNOWN else RIGHT if guess == true else WRONG)
    what = {"predicted": "the prediction", "true": "the true class"}.get(wanted, wanted)
    return Explained(images, classes, captions, colors, what)
