"""Predicted images: predictions for images of the user, without configuration or dataset."""

from collections import Counter
from typing import Any

from jsonargparse import Namespace

from callbacks.pictures import ClassActivation
from lightning_app.cli.networks.images import open_with_images
from lightning_app.commands.explain.predict import OUT
from lightning_app.commands.explain.predictions import predict, prediction_table
from lightning_app.commands.explain.write_overlays import write_overlays
from lightning_app.output.console import Column, print_table
from lightning_app.output.folder import Folder
from models.evaluation.prediction_sets import LEVEL

MOST_CLASSES = 50  # that are printed with their number of images
FEW = 20  # images whose predictions are printed
SHOWN = 3  # classes of an image that are printed
SET = f"{LEVEL:.0%} set".replace("%", " %")  # column of the prediction sets
UNKNOWN = "unlike the images of the validation, so its prediction may mean nothing"


def predict_images(options: Namespace) -> None:
    """Classify images, and print or write the predictions.

    Args:
        options: Options of `predict`.

    Raises:
        ValueError: If the checkpoint or an image is missing, or an image is broken.
    """
    network, images = open_with_images(
        options.ckpt_path, options.device, options.images, options.on_error
    )
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


def _print(table: dict[str, list[Any]], title: str) -> None:
    """Print the predictions of a few images, or the number of images of each class."""
    if len(table["image"]) > FEW:
        counts = Counter(table["predicted"]).most_common()
        more = len(counts) - MOST_CLASSES
        columns = [Column("predicted", wrap=True), Column("images", "right")]
        cells = [(name, f"{count:,}") for name, count in counts[:MOST_CLASSES]]
        cells += [(f"… {more:,} more classes", "")] * (more > 0)
        print_table(columns, cells, title)
        return
    known = [number for number in range(1, SHOWN + 1) if _keys(number)[0] in table]
    columns = [Column("image", wrap=True)]
    for number in known:
        columns += [Column(_keys(number)[0], wrap=True), Column("confidence", "right")]
    sets, doubtful = table.get("set", []), table.get("unknown", [])
    columns += [Column(SET, wrap=True)] * bool(sets) + [Column("")] * any(doubtful)
    rows = []
    for index, image in enumerate(table["image"]):
        cells = [(table[name][index], table[value][index]) for name, value in map(_keys, known)]
        texts = [text for name, p in cells for text in (name, f"{p:.3f}")]
        members = [_few(sets[index].split("|"))] if sets else []
        mark = ["unknown" if doubtful[index] else ""] if any(doubtful) else []
        rows.append((image, *texts, *members, *mark))
    print_table(columns, rows, title)
    if any(doubtful):
        print(f"unknown: {UNKNOWN}")


def _few(members: list[str]) -> str:
    """The classes of a set, or their number if they would fill the table."""
    if len(members) <= SHOWN:
        return ", ".join(members)
    is_cut = members[-1].startswith("… ")  # see `set_names`
    return f"more than {len(members) - 1} classes" if is_cut else f"{len(members)} classes"


def _keys(number: int) -> tuple[str, str]:
    """Columns of the n-th most probable class."""
    return (
        ("predicted", "confidence")
        if number == 1
        else (f"predicted_{number}", f"confidence_{number}")
    )
