"""`lightning_app.explain`: what a trained network looks at and looks for, as figures."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from torch import Tensor

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import Picture, PictureContext
from lightning_app.api.figures import Figures
from lightning_app.api.inputs import ImageInput, read_input
from lightning_app.api.networks import Device, open_network
from lightning_app.api.run import Run
from lightning_app.cli.errors.possible_names import suggest_names
from lightning_app.commands.explain.images import Images
from lightning_app.commands.explain.network import Network
from lightning_app.commands.explain.options import drawable
from models.explain import NothingToShow

Pictures = str | Sequence[str] | Mapping[str, Picture]


def explain(
    run: Run | str | Path,
    images: ImageInput,
    pictures: Pictures | None = None,
    device: Device = "auto",
) -> Figures:
    """Draw where a network looks, what its layers respond to, and what they look for.

    Args:
        run: A run of `fit` or `load`; or its name or id, `best`, `last`, or a checkpoint file.
        images: Files, folders or arrays; see `predict`.
        pictures: Names of pictures, such as `["grad_cam", "filters"]`; or pictures with options by
            name, such as `{"grad_cam": ClassActivation(layer="layer4")}` (`callbacks.pictures`).
            None draws all that suit images without labels.
        device: Where the network runs; `auto` takes a GPU if there is one.

    Returns:
        Matplotlib figures by name. A picture may have several; one that has nothing to show for
        this network has none, which is a warning if it was asked for by name.

    Raises:
        ValueError: If there is no such picture, run or image, or nothing can be drawn.

    Example:
        >>> figures = lightning_app.explain(run, "photos/", ["grad_cam", "saliency"])
        >>> figures["grad_cam"]
        <Figure size 1200x800 with 16 Axes>
    """
    chosen = _chosen(pictures)
    network = open_network(run, device)
    context = _context(network, read_input(images, network.image_size, network.num_channels))
    figures, left_out = Figures(), dict[str, str]()
    for name, picture in chosen.items():
        try:
            figures |= _draw(picture, context)
        except NothingToShow as reason:
            left_out[name] = str(reason)
    reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
    if not figures:
        raise ValueError(f"Nothing can be drawn of this network. {reasons}")
    if pictures is not None and reasons:
        warnings.warn(f"Left out: {reasons}", stacklevel=2)
    return figures


def _chosen(pictures: Pictures | None) -> Mapping[str, Picture]:
    if isinstance(pictures, Mapping):
        return pictures
    names = [pictures] if isinstance(pictures, str) else pictures
    known = drawable()
    if unknown := [name for name in names or () if name not in known]:
        raise ValueError(f"There is no picture {unknown[0]!r}.{suggest_names(unknown[0], known)}")
    return {name: known[name]() for name in (known if names is None else names)}


def _context(network: Network, images: Images) -> PictureContext:
    def sample(num_images: int) -> tuple[Tensor, Tensor]:
        shown, labels = images.sample(num_images)
        return shown.to(network.device), labels.to(network.device)

    names, title = network.class_names, network.title
    return PictureContext(network.model, names, sample, title, "images", names=images.sampled_names)


def _draw(picture: Picture, context: PictureContext) -> dict[str, Figure]:
    """The figures of a picture; its tables and numbers are for runs."""
    with inspection_mode(context.model):
        shown = dict(picture.draw(context))
    return {name: content for name, content in shown.items() if isinstance(content, Figure)}
