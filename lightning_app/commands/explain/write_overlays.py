"""Heat-map overlays, one file per image, at the size of the image."""

from callbacks.pictures import ClassActivation, Picture
from lightning_app.cli.networks.images import Images
from lightning_app.cli.networks.network import Network
from lightning_app.cli.networks.overlays import evidence_overlay
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
            batch, original = images.batch([index]), images.original(index)
            try:
                method = picture.method_for(network.model, batch.to(network.device)).method
                mixed = evidence_overlay(picture, network, batch, original)
            except NothingToShow:  # reported with the contact sheet already
                return
            folder.write_image(f"{method}/{file}", mixed)


def unique_stems(names: list[str]) -> list[str]:
    """Names of files without suffixes; names that would then be equal keep theirs."""
    stems = [name.rpartition(".")[0] or name for name in names]
    return [
        name if stems.count(stem) > 1 else stem for name, stem in zip(names, stems, strict=True)
    ]
