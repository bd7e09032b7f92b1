"""Quantised file: calibrated on training images, and kept unless it is much less accurate."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from datamodules.atomic_files import atomic_write
from lightning_app.cli.networks.dataset_images import dataset_images
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.networks.unseen_images import WORDS
from lightning_app.cli.networks.write_files import Exported, file_name, probabilities
from lightning_app.commands.export.accuracy import score
from lightning_app.pages.words import p_value, points
from models.evaluation.paired_test import PairedTest
from models.export.agreement import DifferentOutputError, agreement
from models.export.int8 import quantize
from models.export.onnx_file import OnnxNetwork

CALIBRATION = 128  # training images
MAX_LOSS = 0.05  # of accuracy; a network that certainly loses more is broken


def write_int8(
    source: Exportable, onnx: Path, folder: Path, most: int
) -> tuple[Exported, PairedTest]:
    """Quantise an exported ONNX file.

    Args:
        source: The network.
        onnx: Its file in float32.
        folder: Output folder.
        most: Images that are classified before and after, at most.

    Returns:
        The file, and its accuracy less that in float32.

    Raises:
        DifferentOutputError: If it certainly loses more than `MAX_LOSS` of accuracy.
        ValueError: If the images of the run cannot be read here, all of them were trained on, or
            it cannot be quantised.
    """
    data = source.require_data("int8 is calibrated on training images")
    split = source.require_unseen("int8 is tested on images that the network was not trained on")
    before = OnnxNetwork(onnx)
    description = replace(before.description, kind="int8")
    kind = before.description.input_type
    batches = (images.astype(kind) for images, _ in dataset_images(data, "train", CALIBRATION))
    with atomic_write(folder / f"{file_name(source)}.int8.onnx") as unfinished:
        quantize(onnx, batches, unfinished, description)
        after = OnnxNetwork(unfinished)
        scored = score({"before": before, "after": after}, data, split, most)
        test = scored.test("before", "after")
        if test.high < -MAX_LOSS:
            raise DifferentOutputError(
                f"The int8 file is much less accurate than the checkpoint: {in_words(test)} on "
                f"{len(scored.labels):,} {WORDS[split]} images. It is not kept."
            )
        probes = source.probes().numpy()
        result = agreement(probabilities(source, probes), np.asarray(after(probes)))
    return Exported("int8", folder / f"{file_name(source)}.int8.onnx", result), test


def in_words(test: PairedTest) -> str:
    """A difference of accuracies in a line."""
    ends = f"95 % interval {points(test.low)} to {points(test.high)}"
    return f"{points(test.difference)} percentage points ({ends}, {p_value(test.p_value, 'p ')})"
