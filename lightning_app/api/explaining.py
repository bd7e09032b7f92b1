"""`lightning_app.explain`: what a trained network looks at and looks for, as figures."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import PICTURES, Notice, Picture, PictureContext
from lightning_app.api.figures import Figures
from lightning_app.api.inputs import ImageInput, read_input
from lightning_app.api.networks import Device, open_network
from lightning_app.api.run import Run
from lightning_app.cli.errors.possible_names import suggest_names
from lightning_app.commands.explain.drawing import picture_context
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
        images: Files, folders, PIL images or arrays; see `predict`.
        pictures: Names of pictures, such as `["grad_cam", "filters"]`; or pictures with options by
            name, such as `{"grad_cam": ClassActivation(layer="layer4")}` or, for a transformer,
            `{"grad_cam": ClassActivation(method="attn_lrp")}` (`callbacks.pictures`).
            None draws all that suit images without labels.
        device: Where the network runs; `auto` takes a GPU if there is one.

    Returns:
        Matplotlib figures by the names of the pictures. A picture may have several, whose names
        begin with it; one that has nothing to show for this network has none, which is a warning
        if it was asked for by name.

    Raises:
        ValueError: If there is no such picture, run or image, a picture needs labels, or nothing
            can be drawn.

    Warns:
        UserWarning: If the picture `honesty` is drawn, and heat maps fail its checks.

    Example:
        >>> figures = lightning_app.explain(run, "photos/", ["grad_cam", "saliency"])
        >>> figures["grad_cam"]
        <Figure size 1200x800 with 16 Axes>
    """
    chosen = _chosen(pictures)
    network = open_network(run, device)
    shown = read_input(images, network.image_size, network.num_channels, network.resize)
    context = picture_context(network, shown)
    figures, left_out = Figures(), dict[str, str]()
    for name, picture in chosen.items():
        try:
            figures |= _named(name, picture, _draw(picture, context))
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
        for name, picture in pictures.items():
            _check_picture(name, picture)
        return pictures
    names = [pictures] if isinstance(pictures, str) else pictures
    known = drawable()
    for name in names or ():
        _check_name(name)
    return {name: known[name]() for name in (known if names is None else names)}


def _check_picture(name: str, picture: object) -> None:
    if not isinstance(picture, Picture):
        raise ValueError(
            f"{name}: expected a picture with its options, such as "
            f"`callbacks.pictures.ClassActivation(num_images=4)`, got {picture!r}."
        )
    if picture.needs_labels:
        _check_name(picture.name)


def _check_name(name: str) -> None:
    if name in drawable():
        return
    if name not in PICTURES:
        raise ValueError(f"There is no picture {name!r}.{suggest_names(name, drawable())}")
    how = "evaluate(run)` draws" if "test" in PICTURES[name].splits else "fit` draws"
    raise ValueError(
        f"The picture {name!r} needs labels, which these images do not have; "
        f"`lightning_app.{how} it into the run.{suggest_names('', drawable())}"
    )


def _draw(picture: Picture, context: PictureContext) -> dict[str, Figure]:
    """The figures of a picture; its tables and numbers are for runs."""
    with inspection_mode(context.model):
        shown = [*picture.draw(context)]
    for _, content in shown:
        if isinstance(content, Notice) and content.text:
            warnings.warn(content.text, stacklevel=3)
    return {name: content for name, content in shown if isinstance(content, Figure)}


def _named(key: str, picture: Picture, figures: dict[str, Figure]) -> dict[str, Figure]:
    """The figures by the key of their picture; several by the key and what tells them apart."""
    if len(figures) == 1:
        [figure] = figures.values()
        return {key: figure}
    return {key + name.removeprefix(picture.name): figure for name, figure in figures.items()}
