"""The command `lightning_cli suggest`: which unlabelled images to label next."""

import math
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace
from torch import Tensor

from callbacks.plots.drawing.contact_sheet import plot_contact_sheet
from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.device import Device
from lightning_app.cli.networks.images import Images, open_with_images
from lightning_app.cli.networks.network import Network
from lightning_app.output.folder import Folder
from models import ImageClassifier
from models.evaluation.active_learning import Strategy, choose_images

DESCRIPTION = """\
Choose unlabelled images to label next: those that differ most from one another as the network sees
them, those that it is least sure of, or both. Writes a table and a contact sheet of them, the most
useful one first.
"""
SHEET = 60  # images on the contact sheet
BATCH = 32


def suggest(args: list[str]) -> None:
    """Choose images to label, and write their names and a contact sheet.

    Args:
        args: The command line after `suggest`.

    Raises:
        ValueError: If the checkpoint or an image is missing, or an image is broken.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parse(args)
    network, images = open_with_images(options.ckpt_path, options.device, options.images)
    probabilities, features = _outputs(network, images)
    rows = choose_images(probabilities, features, options.count, options.by)
    folder = Folder(options.out)
    table = _table(rows, probabilities, network, images)
    folder.write_table("suggestions", table)
    shown = rows[:SHEET].tolist()
    captions = [
        f"{first}\n{100 * share:.0f} %, or {second}"
        for first, share, second in zip(
            table["predicted"], table["confidence"], table["predicted_2"], strict=True
        )
    ][: len(shown)]
    title = f"{len(rows):,} of {len(images):,} images to label next, chosen by {network.title}"
    tiles = images.batch(shown).movedim(1, -1).numpy()
    columns = math.ceil(len(shown) ** 0.5)
    folder.write_figure("suggestions", plot_contact_sheet(tiles, captions, columns, title))
    print(f"Chosen      {len(rows):,} of {len(images):,} images; the most useful one comes first")
    for file in folder.written:
        print(f"Written     {folder.path / file}")


@torch.inference_mode()
def _outputs(network: Network, images: Images) -> tuple[Tensor, Tensor]:
    """Probabilities (N, K) and features (N, D) of all images, on the CPU."""
    assert isinstance(network.model, ImageClassifier)
    parts = []
    for start in range(0, len(images), BATCH):
        batch = images.batch(range(start, min(start + BATCH, len(images))))
        features, logits = network.model.features_and_logits(batch.to(network.device))
        parts.append((logits.cpu().double().softmax(dim=1), features.float().cpu()))
    probabilities, features = (torch.cat(part) for part in zip(*parts, strict=True))
    return probabilities, features


def _table(
    rows: Tensor, probabilities: Tensor, network: Network, images: Images
) -> dict[str, list[Any]]:
    shares, classes = probabilities[rows].topk(2, dim=1)
    names = network.class_names
    return {
        "image": [str(images.files[row]) for row in rows.tolist()],
        "predicted": [names[first] for first, _ in classes.tolist()],
        "confidence": shares[:, 0].round(decimals=4).tolist(),
        "predicted_2": [names[second] for _, second in classes.tolist()],
        "confidence_2": shares[:, 1].round(decimals=4).tolist(),
    }


def _parse(args: list[str]) -> Namespace:
    parser = CommandParser(prog="lightning_cli suggest", description=DESCRIPTION)
    parser.add_argument(
        "images", type=Path, nargs="*", help="Unlabelled images, and folders of them.", default=[]
    )
    parser.add_argument(
        "--ckpt_path",
        type=str | None,
        default=None,
        help="A checkpoint file; the name or id of a run, for its best checkpoint; best, last, or "
        "models:/NAME@ALIAS.",
    )
    parser.add_argument("--count", type=int, default=60, help="Number of images to choose.")
    parser.add_argument(
        "--by",
        type=Strategy,
        default="diversity",
        help="What counts: the margin between the two most probable classes, diversity of the "
        "features, or both.",
    )
    parser.add_argument("--out", type=Path, default=Path("suggestions"), help="Output folder.")
    parser.add_argument("--device", type=Device, default="auto", help="Device of the network.")
    options = parser.parse_args(args)
    if options.ckpt_path is None or not options.images:
        raise ValueError(
            "`lightning_cli suggest` needs a network and images: --ckpt_path RUN DIR --count 60."
        )
    if options.count < 1:
        raise ValueError(f"Expected --count of 1 or more, got {options.count}.")
    return options
