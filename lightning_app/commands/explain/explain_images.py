"""Explained images: pictures of a trained network on images of the user."""

from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace

from lightning_app.cli.networks.checkpoint_network import checkpoint_network
from lightning_app.cli.networks.images import Images, find_images
from lightning_app.cli.networks.network import Network
from lightning_app.commands.explain.drawing import draw, picture_context
from lightning_app.commands.explain.library_network import library_network
from lightning_app.commands.explain.log_to_run import log_files, open_run
from lightning_app.commands.explain.options import chosen_pictures
from lightning_app.commands.explain.predictions import predict, prediction_table
from lightning_app.commands.explain.write_overlays import write_overlays
from lightning_app.output.folder import Folder
from models.device import device_named

SHOWN = 12  # images whose prediction is printed


def explain_images(options: Namespace) -> None:
    """Draw the pictures, and print the predictions and the names of the files.

    Args:
        options: Options of `explain`, with the pictures as objects.

    Raises:
        ValueError: If the network, an image or a layer is missing, or nothing can be drawn.
    """
    folder = Folder(options.out)
    files = find_images(options.images, on_error=options.on_error)
    network = _network(options)
    logged = open_run(network.run_id) if options.log else None
    images = Images(files, network.image_size, network.num_channels, network.resize)
    pictures = chosen_pictures(options)
    predictions = prediction_table(network, images.names, predict(network, images))
    folder.write_table("predictions", predictions)
    left_out, notices = draw(pictures, picture_context(network, images), folder)
    if options.each:
        write_overlays(pictures, network, images, folder)
    _print_results(predictions, folder, left_out, notices)
    if logged is not None:
        log_files(*logged, folder)
        print(f"Logged      explanations/ of the run {logged[1].info.run_name}")
    if options.methods and len(left_out) == len(pictures) and len(folder.written) == 1:
        raise ValueError(f"None of the pictures can be drawn: {', '.join(pictures)}.")


def _network(options: Namespace) -> Network:
    """The network of the options, on its device and in eval mode."""
    if options.ckpt_path is not None:
        network = checkpoint_network(options.ckpt_path, options.image_size)
    else:
        network = library_network(
            options.network, options.library, options.weights, options.allow, options.image_size
        )
    network.model.to(device_named(options.device)).eval()
    if options.image_size is not None:
        _check_size(network)
    if options.class_names is not None:
        network = network._replace(class_names=_read_names(options.class_names))
    return network


def _check_size(network: Network) -> None:
    """Reject images that are too small for the network, or have another size than it requires."""
    shape = (1, network.num_channels, network.image_size, network.image_size)
    try:
        with torch.inference_mode():
            network.model(torch.zeros(shape, device=network.device))
    except (AssertionError, RuntimeError) as error:
        raise ValueError(
            f"--image_size {network.image_size} does not fit {network.title}, perhaps because it "
            f"is too small: {str(error).splitlines()[0]}"
        ) from error


def _read_names(file: Path) -> tuple[str, ...]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"{file} cannot be read (--class_names): {what}.") from error
    return tuple(line.strip() for line in lines if line.strip())


def _print_results(
    predictions: dict[str, Any], folder: Folder, left_out: dict[str, str], notices: list[str]
) -> None:
    rows = zip(*(predictions[key] for key in ("image", "predicted", "confidence")), strict=True)
    for image, predicted, confidence in list(rows)[:SHOWN]:
        print(f"{image}  {predicted} {confidence:.2f}")
    if (more := len(predictions["image"]) - SHOWN) > 0:
        print(f"  and {more} more")
    for reason in dict.fromkeys(left_out.values()):
        names = ", ".join(name for name, why in left_out.items() if why == reason)
        print(f"No picture {names}: {reason}")
    for file in folder.written:
        print(f"Written     {folder.path / file}")
    for notice in notices:
        print(notice)
