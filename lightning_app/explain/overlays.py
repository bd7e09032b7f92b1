"""Where a network looks, over each image at its own size."""

from collections.abc import Iterator

import cv2
import matplotlib
import numpy as np
from torch import Tensor

from callbacks.pictures import ClassActivation, Picture
from callbacks.plots.overlays import CMAP
from lightning_app.explain.files import Folder
from lightning_app.explain.images import Images
from lightning_app.explain.network import Network
from models.explain.honesty import Explain, explanation

STRONGEST = 0.75  # share of the image that the strongest place of a map covers


def write_overlays(
    pictures: dict[str, Picture],
    network: Network,
    images: Images,
    probabilities: Tensor,
    folder: Folder,
) -> None:
    """Store `<picture>/<image>.png` for each picture that shows where the network looks.

    Args:
        pictures: By name; those that make no maps are left out.
        network: The network, in eval mode.
        images: To explain.
        probabilities: Of the classes, (N, K); the most probable one is explained.
        folder: Where the files go.
    """
    device = network.device
    for name, explain in _explanations(pictures, network, images.batch([0]).to(device)):
        for index, file in enumerate(unique_stems(images.names)):
            batch, classes = images.batch([index]).to(device), probabilities[index].argmax()[None]
            [map_] = explain(network.model, batch, classes.to(device)).float().cpu().numpy()
            folder.write_image(f"{name}/{file}", overlay(images.original(index), map_))


def overlay(image: np.ndarray, map_: np.ndarray) -> np.ndarray:
    """Lay a map over an image: the stronger, the more it covers.

    Args:
        image: uint8, (H, W, 1) or (H, W, 3).
        map_: Not negative, (h, w), of any size: it is the map that is resized.

    Returns:
        uint8, (H, W, 3).
    """
    height, width = image.shape[:2]
    resized = cv2.resize(map_.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    strength = resized.clip(0) / max(float(resized.max()), np.finfo(np.float32).tiny)
    heat = matplotlib.colormaps[CMAP](strength)[..., :3]
    cover = STRONGEST * strength[..., None]
    mixed = (1 - cover) * np.broadcast_to(image, (height, width, 3)) / 255 + cover * heat
    return (255 * mixed).round().astype(np.uint8)


def unique_stems(names: list[str]) -> list[str]:
    """Names of files without their suffixes, but for those that would then be equal."""
    stems = [name.rpartition(".")[0] or name for name in names]
    return [
        name if stems.count(stem) > 1 else stem for name, stem in zip(names, stems, strict=True)
    ]


def _explanations(
    pictures: dict[str, Picture], network: Network, image: Tensor
) -> Iterator[tuple[str, Explain]]:
    for name, picture in pictures.items():
        if isinstance(picture, ClassActivation):
            yield name, explanation("grad_cam", network.model, image, picture.layer)
