"""Heat-map overlays, one file per image, at the size of the image."""

import numpy as np
import torch

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import ClassActivation, Picture, PictureContext
from callbacks.plots.drawing.overlays import overlaid
from datamodules.sources.resizing import Resize, onto_image
from lightning_app.cli.networks.network import Network
from lightning_app.commands.explain.images import Images
from lightning_app.output.folder import Folder
from models.explain import NothingToShow


def write_overlays(
    pictures: dict[str, Picture], network: Network, images: Images, folder: Folder
) -> None:
    """Write `<method>/<image>.png` for each picture that makes heat maps.

    Args:
        pictures: Pictures by name; those without heat maps are skipped.
        network: The network, in eval mode.
        images: Images to explain.
        folder: Output folder.
    """
    for picture in pictures.values():
        if not isinstance(picture, ClassActivation):
            continue
        for index, file in enumerate(unique_stems(images.names)):
            unknown = torch.tensor([-1], device=network.device)
            shown = (images.batch([index]).to(network.device), unknown)
            context = PictureContext(
                network.model, network.class_names, lambda _, s=shown: s, network.title
            )
            try:
                with inspection_mode(network.model):
                    _, maps, _ = picture.find_evidence(context)
            except NothingToShow:  # reported with the contact sheet already
                return
            map_ = maps[0].float().cpu().numpy()
            mixed = overlay(images.original(index), map_, images.resize)
            folder.write_image(f"{picture.method}/{file}", mixed)


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


def unique_stems(names: list[str]) -> list[str]:
    """Names of files without suffixes; names that would then be equal keep theirs."""
    stems = [name.rpartition(".")[0] or name for name in names]
    return [
        name if stems.count(stem) > 1 else stem for name, stem in zip(names, stems, strict=True)
    ]
