"""Class-activation maps of the probe images: where the evidence is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from callbacks.pictures.picture import Picture, Scene, Shown
from callbacks.plots import RIGHT, WRONG, plot_overlays
from callbacks.plots.sheet import NEUTRAL
from models.explain import find_layer, grad_cam, last_feature_map

UNKNOWN = -1  # label of an image that a user names


@dataclass(eq=False)
class ClassActivation(Picture):
    """Show where the evidence for the predicted class lies in each probe image.

    Attributes:
        when: See `Picture`.
        num_images: Validation images in the picture.
        layer: Layer to explain, `layer4.2.conv3`; None for the deepest one whose output still is
            a picture.
    """

    name: ClassVar[str] = "grad_cam"

    num_images: int = 12
    layer: str | None = None

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        images, labels = scene.sample(self.num_images)
        if self.layer is None:
            name, to_map = last_feature_map(scene.model, images)
        else:
            name, to_map = find_layer(scene.model, self.layer), None
        with torch.no_grad():
            predicted = scene.model(images).argmax(dim=1)
        maps = grad_cam(scene.model, scene.model.get_submodule(name), images, predicted, to_map)
        captions = [
            f"{scene.class_names[guess]}"
            + ("" if true in (guess, UNKNOWN) else f"\nnot {scene.class_names[true]}")
            for guess, true in zip(predicted.tolist(), labels.tolist(), strict=True)
        ]
        figure = plot_overlays(
            images.movedim(1, -1).cpu().numpy(),
            maps.cpu().numpy(),
            captions,
            [
                NEUTRAL if true == UNKNOWN else RIGHT if guess == true else WRONG
                for guess, true in zip(predicted.tolist(), labels.tolist(), strict=True)
            ],
            f"where the evidence for the prediction lies ({name}), {scene.title}",
        )
        yield self.name, figure
