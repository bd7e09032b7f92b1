"""Grad-CAM pictures of the probe images."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from lightning.pytorch import LightningModule, Trainer
from matplotlib.figure import Figure

from callbacks.plots import RIGHT, WRONG, plot_overlays
from callbacks.run import data_of
from callbacks.visualizer import Visualizer, probe_images
from models import ImageClassifier
from models.explain import grad_cam, last_feature_map
from models.explain.feature_map import ToMap


@dataclass(eq=False)
class GradCAMVisualizer(Visualizer):
    """Show where the evidence for the predicted class lies in each probe image.

    Attributes:
        every_n_epochs: Draw after every n-th epoch of a fit.
        num_images: Validation images in the picture.
        layer: Layer to explain, as the model names it: `backbone.network.layer4`; None for the
            deepest one whose output still is a picture, found once, so that epochs compare.
    """

    name: ClassVar[str] = "grad_cam"

    num_images: int = 12
    layer: str | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Begin with the layer that was asked for, and forget that of another model."""
        self._found: tuple[str, ToMap | None] | None = (self.layer, None) if self.layer else None

    def draw(self, model: ImageClassifier, trainer: Trainer) -> Figure:
        """See `Visualizer`."""
        images, labels = probe_images(trainer, self.num_images)
        self._found = self._found or last_feature_map(model, images)
        name, to_map = self._found
        try:
            layer = model.get_submodule(name)
        except AttributeError as error:
            known = ", ".join(child for child, _ in model.backbone.named_children())
            raise ValueError(
                f"pictures.grad_cam.layer: the model has no layer {name!r} ({error}); "
                f"the backbone has {known}, each called backbone.<name>."
            ) from error
        with torch.no_grad():
            predicted = model(images).argmax(dim=1)
        maps = grad_cam(model, layer, images, predicted, to_map)
        class_names = data_of(trainer).class_names
        right = predicted == labels
        captions = [
            class_names[guess]
            if guess == true
            else f"{class_names[guess]}\nnot {class_names[true]}"
            for guess, true in zip(predicted.tolist(), labels.tolist(), strict=True)
        ]
        return plot_overlays(
            images.movedim(1, -1).cpu().numpy(),
            maps.cpu().numpy(),
            captions,
            [RIGHT if is_right else WRONG for is_right in right],
            f"where the evidence for the prediction lies ({name}), epoch {trainer.current_epoch}",
        )
