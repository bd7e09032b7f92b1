"""The command `lightning_cli predict` for images of the user, without configuration or dataset."""

from collections import Counter
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from callbacks.pictures import ClassActivation
from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.networks.images import open_with_images
from lightning_app.cli.one_line.recorded_config import needs_checkpoint
from lightning_app.commands.explain.predictions import predict, prediction_table
from lightning_app.commands.explain.write_overlays import write_overlays
from lightning_app.output.console import Column, print_table
from lightning_app.output.folder import Folder
from models.device import Device

DESCRIPTION = """\
Classify images with a trained network. Its checkpoint knows the classes, the image size and the
normalisation. A few images are printed as a table; of many, the table is a CSV file.
"""
EPILOG = """\
With --config FILE.yaml, --data.predict DIR or another setting of the data, the images of a dataset
are predicted as its datamodule reads them, and the table joins the run.
"""
OUT = Path("predictions")
FEW = 20  # images whose predictions are printed
SHOWN = 3  # classes of an image that are printed


def predict_images(args: list[str]) -> None:
    """Classify images, and print or write the predictions.

    Args:
        args: The command line after `predict`.

    Raises:
        ValueError: If the checkpoint or an image is missing, or an image is broken.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parse(args)
    network, images = open_with_images(options.ckpt_path, options.device, options.images)
    table = prediction_table(network, images.names, predict(network, images))
    folder = Folder(options.out or OUT)
    if len(images) > FEW or options.out is not None:
        folder.write_table("predictions", table)
    if options.each:
        write_overlays({"grad_cam": ClassActivation()}, network, images, folder)
    _print(table, f"Predictions of {network.title}")
    if len(folder.written) > FEW:
        print(f"Written     {len(folder.written)} files below {folder.path}")
    else:
        for file in folder.written:
            print(f"Written     {folder.path / file}")


def _parse(args: list[str]) -> Namespace:
    parser = CommandParser(prog="lightning_cli predict", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument(
        "images", type=Path, nargs="*", help="Image files, and folders of images.", default=[]
    )
    parser.add_argument(
        "--ckpt_path",
        type=str | None,
        default=None,
        help="A checkpoint file; the name or id of a run, for its best checkpoint; best, last, or "
        "models:/NAME@ALIAS. Several are an ensemble.",
    )
    parser.add_argument(
        "--out",
        type=Path | None,
        default=None,
        help=f"Output folder, {OUT} by default; a few images are only printed without it.",
    )
    parser.add_argument(
        "--each",
        action="store_true",
        help="Also write where the network looks, as an overlay at the size of each image.",
    )
    parser.add_argument("--device", type=Device, default="auto", help="Device of the network.")
    options = parser.parse_args(args)
    if options.ckpt_path is None:
        raise needs_checkpoint("predict")
    if not options.images:
        raise ValueError(
            "`lightning_cli predict` needs images: --ckpt_path RUN a.jpg DIR, or those of a "
            "dataset, with --config FILE.yaml or --data.predict DIR."
        )
    return options


def _print(table: dict[str, list[Any]], title: str) -> None:
    """Print the predictions of a few images, or the number of images of each class."""
    if len(table["image"]) > FEW:
        counts = Counter(table["predicted"]).most_common()
        columns = [Column("predicted", wrap=True), Column("images", "right")]
        print_table(columns, [(name, f"{count:,}") for name, count in counts], title)
        return
    known = [number for number in range(1, SHOWN + 1) if _keys(number)[0] in table]
    columns = [Column("image", wrap=True)]
    for number in known:
        columns += [Column(_keys(number)[0], wrap=True), Column("confidence", "right")]
    doubtful = table.get("unknown", [])
    columns += [Column("")] * any(doubtful)
    rows = []
    for index, image in enumerate(table["image"]):
        cells = [(table[name][index], table[value][index]) for name, value in map(_keys, known)]
        texts = [text for name, p in cells for text in (name, f"{p:.3f}")]
        mark = ["unknown" if doubtful[index] else ""] if any(doubtful) else []
        rows.append((image, *texts, *mark))
    print_table(columns, rows, title)


def _keys(number: int) -> tuple[str, str]:
    """Columns of the n-th most probable class."""
    return (
        ("predicted", "confidence")
        if number == 1
        else (f"predicted_{number}", f"confidence_{number}")
    )
