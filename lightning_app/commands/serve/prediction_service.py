"""Prediction service: classifies an uploaded image file with a trained network."""

from threading import Lock
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from callbacks.pictures import ClassActivation
from datamodules.sources.decode import decode
from datamodules.sources.squares import decode_square
from lightning_app.cli.networks.network import Network, outputs_of
from lightning_app.cli.networks.overlays import evidence_overlay
from lightning_app.commands.serve.training_images import TrainingImages
from lightning_app.pages.data_uris import embed_pixels
from models.explain import NothingToShow

MAX_SIDE = 1000  # pixels of an overlay; a photograph has more than a page shows
MIN_SIDE = 160  # a smaller image is enlarged by a whole factor: 8 x 8 pixels hide a heat map


class PredictionService:
    """Classifies one image at a time, as `predict` does.

    Args:
        network: The network, in eval mode.
        training_images: Those of its run.
    """

    def __init__(self, network: Network, training_images: TrainingImages) -> None:
        self.network, self.training_images = network, training_images
        self._grad_cam = ClassActivation()
        # Requests come in several threads, but hooks of Grad-CAM are in the network for all of
        # them; and one decoded image at a time limits the memory.
        self._lock = Lock()

    def answer(self, file: bytes, grad_cam: bool, nearest: int) -> dict[str, Any]:
        """Classify an image.

        Args:
            file: Content of an image file.
            grad_cam: Whether to show where the evidence for the class is.
            nearest: How many of the most similar training images to show.

        Returns:
            What becomes JSON: `label`, `probability`, and `probabilities` by class; the classes of
            the prediction `set` and whether the image is `unknown`, if the checkpoint has
            thresholds; `grad_cam`, a
            PNG file as a data URI, or None with the reason in `grad_cam_note`; `nearest`, see
            `TrainingImages.nearest`.

        Raises:
            UnreadableImageError: If it is not an image that can be read.
        """
        with self._lock:
            size, channels = self.network.image_size, self.network.num_channels
            square = decode_square(file, size, channels, self.network.resize, "The file")
            batch = torch.from_numpy(square.copy()).permute(2, 0, 1)[None].float() / 255
            found = self._prediction(batch)
            if grad_cam:
                found |= self._evidence(batch, decode(file, channels, "The file"))
            if nearest:
                found["nearest"] = self.training_images.nearest(batch, nearest)
        return found

    def _prediction(self, batch: Tensor) -> dict[str, Any]:
        outputs = outputs_of(self.network, batch)
        logits = outputs["logits"]
        probabilities = logits[0].softmax(dim=0).tolist()
        named = dict(zip(self.network.class_names, probabilities, strict=True))
        label = max(named, key=named.__getitem__)
        found = {"label": label, "probability": named[label], "probabilities": named}
        if (known := getattr(self.network.model, "uncertainty", None)) is not None:
            [members] = known.sets.sets(logits).tolist()
            names = zip(self.network.class_names, members, strict=True)
            found["set"] = [name for name, is_member in names if is_member]
            if known.neighbours is not None:
                found["unknown"] = float(outputs["similarity"]) < known.neighbours.threshold
        return found

    def _evidence(self, batch: Tensor, image: np.ndarray) -> dict[str, Any]:
        try:
            mixed = evidence_overlay(self._grad_cam, self.network, batch, _for_overlay(image))
        except NothingToShow as reason:
            return {"grad_cam": None, "grad_cam_note": str(reason)}
        return {"grad_cam": embed_pixels(mixed), "grad_cam_note": ""}


def _for_overlay(image: np.ndarray) -> np.ndarray:
    """An image (H, W, C) at a size at which a heat map over it can be seen, with square pixels."""
    height, width, channels = image.shape
    longer = max(height, width)
    if longer <= MAX_SIDE:
        factor = max(1, MIN_SIDE // longer)
        return image.repeat(factor, axis=0).repeat(factor, axis=1)
    size = [max(1, round(side * MAX_SIDE / longer)) for side in (width, height)]
    shrunk = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return shrunk.reshape(size[1], size[0], channels)
