"""Exported files: written, checked against the checkpoint, and only then kept."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from datamodules.atomic_files import atomic_write
from lightning_app.cli.networks.exportable import Exportable
from models.export.agreement import Agreement, require_agreement
from models.export.description import Description
from models.export.exported_network import random_images
from models.export.onnx_file import OnnxNetwork, require_packages, write_onnx
from models.export.torch_program import TorchProgram, write_program
from models.export.trace import Traced, trace
from models.export.weights_file import WeightsNetwork, write_weights

Format = Literal["onnx", "pt2", "safetensors"]
InputType = Literal["uint8", "float32"]
FORMATS: tuple[Format, ...] = ("onnx", "pt2", "safetensors")
Run = Callable[[np.ndarray], np.ndarray]  # images with values in 0…255 to probabilities


class Graph(NamedTuple):
    """How a graph takes images.

    Attributes:
        input_type: Type of the images; either way with values in 0…255.
        any_size: Whether to leave their size open, if the network allows it; see `trace`.
    """

    input_type: InputType = "uint8"
    any_size: bool = False


class Exported(NamedTuple):
    """A file that was written and checked.

    Attributes:
        kind: `onnx`, `pt2`, `safetensors` or `int8`.
        file: The file.
        agreement: How it agrees with the checkpoint.
    """

    kind: str
    file: Path
    agreement: Agreement


def write_files(
    source: Exportable, formats: Sequence[Format], folder: Path, graph: Graph = Graph()
) -> list[Exported]:
    """Write a network in some formats; each file is checked before it gets its name.

    Args:
        source: The network.
        formats: The formats.
        folder: Output folder.
        graph: How graphs take images.

    Raises:
        DifferentOutputError: If a file does not give the outputs of the checkpoint.
        ValueError: If a package is missing, or the network cannot be expressed in a format.
    """
    if "onnx" in formats:
        require_packages()
    probes = source.probes().numpy()
    expected = probabilities(source, probes)
    has_graph = any(each != "safetensors" for each in formats)
    traced = _traced(source, graph) if has_graph else None
    description = source.description(input_type=graph.input_type)
    if traced is not None:
        description = replace(description, any_size=traced.any_size, min_size=traced.min_size)
    written = []
    for kind in formats:
        file = folder / f"{file_name(source)}.{kind}"
        with atomic_write(file) as unfinished:
            run = _write(kind, source, traced, description, unfinished)
            found = np.concatenate([run(probes[:1]), run(probes[1:])])  # of two batch sizes
            result = require_agreement(expected, found, f"The {kind} file")
        written.append(Exported(kind, file, result))
    return written


def probabilities(source: Exportable, images: np.ndarray) -> np.ndarray:
    """Probabilities, (N, K), of the checkpoint, for images with values in 0…255."""
    network = source.network  # built outside: tensors of inference mode cannot be traced
    with torch.inference_mode():
        return network(torch.from_numpy(images))[0].numpy()


def file_name(source: Exportable) -> str:
    """Name of the files without an ending: that of the run, or of the checkpoint."""
    name = (source.run.info.run_name if source.run else "") or source.file.stem
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


def _traced(source: Exportable, graph: Graph) -> Traced:
    size = source.source.image_size
    example = random_images((2, source.source.num_channels, size, size))
    return trace(source.network, example.to(getattr(torch, graph.input_type)), graph.any_size)


def _write(
    kind: Format, source: Exportable, traced: Traced | None, description: Description, file: Path
) -> Run:
    """Write a file, and open it again."""
    if kind == "safetensors" or traced is None:
        write_weights(source.network, description, file)
        return WeightsNetwork(file, source.network)
    writers: dict[str, tuple[Any, Any]] = {
        "onnx": (write_onnx, OnnxNetwork),
        "pt2": (write_program, TorchProgram),
    }
    write, read = writers[kind]
    write(traced, description, file)
    return read(file)
