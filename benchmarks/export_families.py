"""Which families of networks can be exported: the table of docs/shipping.md.

    uv run python benchmarks/export_families.py [NAME ...]

Each family of the tests, in a small version with random weights, is written as ONNX and `.pt2` and
compared with the network itself, on noise and smooth images, one, two and four of them at once.
Seconds are those of the CPU.
"""

import importlib.util
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from results import options_of, publish
from torch import Tensor, nn

from models import MLP, ImageClassifier, PlainCNN, ResNet, SmallCNN
from models.export.agreement import require_agreement
from models.export.description import Description
from models.export.exported_network import ExportedNetwork, random_images
from models.export.onnx_file import OnnxNetwork, write_onnx
from models.export.torch_program import TorchProgram, write_program
from models.export.trace import Traced, trace

QUICK = ["resnet18", "SmallCNN", "MLP"]
FAMILIES = Path(__file__).parents[1] / "tests/models/explain/test_families.py"
FORMATS = {"onnx": (write_onnx, OnnxNetwork), "pt2": (write_program, TorchProgram)}
HEADINGS = ("library", "network", "pixels", "ONNX", ".pt2", "seconds")
CLASSES = 5


class Normalized(nn.Module):
    """A network of a library behind a normalisation."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1] to logits."""
        return self.network((images - 0.45) / 0.23)


def main() -> None:
    """Publish a row for each family."""
    parser = options_of(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these networks")
    options, rows = parser.parse_args(), []
    for library, name, make in families():
        if not options.names or name in options.names:
            cells = row(library, name, *make())
            rows.append(dict(zip(HEADINGS, cells, strict=True)))
            print(*cells, file=sys.stderr, flush=True)
    publish("export_families", rows, options.out)


def families() -> Iterator[tuple[str, str, Any]]:
    """Library, name, and what builds a network and knows the size of its images."""
    spec: Any = importlib.util.spec_from_file_location("families", FAMILIES)
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    for library, name in tests.NETWORKS:

        def of_library(library: str = library, name: str = name) -> tuple[nn.Module, int]:
            network, size = tests.build(library, name)
            return Normalized(network), size

        yield library, name, of_library
    own = (SmallCNN(8), ResNet((1, 1)), PlainCNN(image_size=48), MLP(image_size=32))
    for backbone, size in zip(own, (32, 32, 48, 32), strict=True):
        model = ImageClassifier(backbone, CLASSES)
        yield "own", type(backbone).__name__, lambda model=model, size=size: (model, size)


def row(library: str, name: str, model: nn.Module, size: int) -> list[str]:
    """Export a network, and describe what came of it."""
    started = time.process_time()
    network = ExportedNetwork(model, temperature=1.3)
    try:
        traced = trace(network, random_images((2, 3, size, size)))
    except ValueError as error:
        return [library, name, str(size), str(error), "", ""]
    found = [outcome(kind, network, traced, size) for kind in FORMATS]
    return [library, name, str(size), *found, f"{time.process_time() - started:.0f}"]


def outcome(kind: str, network: ExportedNetwork, traced: Traced, size: int) -> str:
    """Largest difference of a probability; or why there is no file."""
    write, read = FORMATS[kind]
    description = Description(tuple(map(str, range(CLASSES))), size)
    images = random_images((7, 3, size, size))
    with torch.no_grad():
        expected = network(images)[0].numpy()
    with TemporaryDirectory() as folder:
        try:
            write(traced, description, Path(folder) / "network")
            run = read(Path(folder) / "network")
            parts = [run(part) for part in np.split(images.numpy(), [1, 3])]
            difference = require_agreement(expected, np.concatenate(parts), kind).largest_difference
        except ValueError as error:
            return str(error)
    return f"{difference:.0e}"


if __name__ == "__main__":
    main()
