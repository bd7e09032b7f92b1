"""Overlays: where a network sees evidence in an image, as a heat map over it."""

import numpy as np
import torch
from torch import Tensor

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import ClassActivation, PictureContext
from callbacks.plots.drawing.overlays import overlaid
from datamodules.sources.resizing import Resize, onto_image
from lightning_app.cli.networks.network import Network


def evidence_overlay(
    picture: ClassActivation, network: Network, batch: Tensor, image: np.ndarray
) -> np.ndarray:
    """Lay the evidence for the predicted class over an image.

    Args:
        picture: Finds the evidence.
        network: The network.
        batch: The image as the network takes it, (1, C, S, S) in [0, 1].
        image: The image at the size of the result, uint8, (H, W, 1) or (H, W, 3).

    Returns:
        uint8, (H, W, 3).

    Raises:
        NothingToShow: If the network has no feature map.
    """
    unknown = torch.tensor([-1], device=network.device)
    shown = (batch.to(network.device), unknown)
    context = PictureContext(network.model, network.class_names, lambda _: shown, network.title)
    with inspection_mode(network.model):
        _, maps, _ = picture.find_evidence(context)
    return overlay(image, maps[0].float().cpu().numpy(), network.resize)


def overlay(image: np.ndarray, map_: np.ndarray, how: Resize = "squeeze") -> np.ndarray:
    """Lay a heat map over an image; the higher the map, the less transparent it is.

    Args:
        image: uint8, (H, W, 1) or (H, W, 3).
        map_: In [0, 1], (h, w), of the square that the network saw.
        how: As the image was made square.

    Returns:
        uint8, (H, W, 3).
    """
    height, width = image.shape[:2]
    resized = onto_image(map_, height, width, how)
    mixed = overlaid(image[None] / 255, resized[None].clip(0, 1))[0]
    return (255 * mixed).round().astype(np.uint8)
