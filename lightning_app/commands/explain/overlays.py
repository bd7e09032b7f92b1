"""Where a network looks, over each image at its own size."""

import cv2
import numpy as np
import torch

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import ClassActivation, Picture, PictureContext
from callbacks.plots.drawing.overlays import overlaid
from lightning_app.commands.explain.images import Images
from lightning_app.commands.explain.network import Network
from lightning_app.output.folder import Folder
from models.explain import NothingToShow


def write_overlays(
    pictures: dict[str, Picture], network: Network, images: Images, folder: Folder
) -> None:
    """Store `<method>/<image>.png` for each picture that shows where the network looks.

    Args:
        pictures: By name; those that make no maps are left out.
        network: The network, in eval mode.
        images: To explain.
        folder: Where the files go.
    """
    for picture in pictures.values():
        if not isinstance(picture, ClassActivation):
            continue
        for index, file in enumerate(unique_stems(images.names)):
            unknown = torch.tensor([-1], device=network.device)
            shown = (images.batch([index]).to(network.device), unknown)
            scene = PictureContext(
                network.model, network.class_names, lambda _, s=shown: s, network.title
            )
            try:
                with inspection_mode(network.model):
                    _, maps, _ = picture.find_evidence(scene)
            except NothingToShow:  # which the command says of the sheet of all images
                return
            mixed = overlay(images.original(index), maps[0].float().cpu().numpy())
            folder.write_image(f"{picture.method}/{file}", mixed)


def overlay(image: np.ndarray, map_: np.ndarray) -> np.ndarray:
    """Lay a map over an image: the stronger, the more it covers.

    Args:
        image: uint8, (H, W, 1) or (H, W, 3).
        map_: In [0, 1], (h, w), of any size: it is the map that is resized.

    Returns:
        uint8, (H, W, 3).
    """
    height, width = image.shape[:2]
    resized = cv2.resize(map_.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    mixed = overlaid(image[None] / 255, resized[None].clip(0, 1))[0]
    return (255 * mixed).round().astype(np.uint8)


def unique_stems(names: list[str]) -> list[str]:
    """Names of files without their suffixes, but for those that would then be equal."""
    stems = [name.rpartition(".")[0] or name for name in names]
    return [
        name if stems.count(stem) > 1 else stem for name, stem in zip(names, stems, strict=True)
    ]
