"""Export of a network: its files, the quantised one, and the benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.figure import Figure

from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.networks.write_files import Exported, Format, Graph, write_files
from lightning_app.commands.export.benchmark import Benchmark, log_benchmark, run_benchmark
from lightning_app.commands.export.write_int8 import write_int8
from lightning_app.output.folder import Folder
from models.evaluation.paired_test import PairedTest

MOST = 2000  # validation images on which accuracies are measured


@dataclass(frozen=True)
class Results:
    """What was written and measured.

    Attributes:
        files: The files.
        int8: Accuracy of the int8 file less that in float32; None without such a file.
        benchmark: The benchmark; None if there was none.
        figure: Its figure.
        logged: Whether the benchmark is in the run of the checkpoint.
    """

    files: list[Exported]
    int8: PairedTest | None = None
    benchmark: Benchmark | None = None
    figure: Figure | None = None
    logged: bool = False


def run_export(
    source: Exportable,
    formats: Sequence[Format],
    folder: Path,
    graph: Graph = Graph(),
    int8: bool = False,
    benchmark: bool = False,
    most: int = MOST,
) -> Results:
    """Write the files of a network, and measure them.

    Args:
        source: The network.
        formats: Formats of the files.
        folder: Output folder.
        graph: How graphs take images.
        int8: Whether to write a quantised ONNX file, too.
        benchmark: Whether to measure size, speed and accuracy.
        most: Validation images on which accuracies are measured, at most.

    Raises:
        ValueError: See `write_files` and `write_int8`.
    """
    Folder(folder)  # refuses a file
    if int8:
        source.require_data("int8 is calibrated on training images")
    files, test = write_files(source, formats, folder, graph), None
    if int8:
        quantized, test = _int8(source, files, folder, graph, most)
        files.append(quantized)
    if not benchmark:
        return Results(files, test)
    found = run_benchmark(source, files, most)
    figure = found.figure(f"Formats of {source.title}")
    return Results(files, test, found, figure, log_benchmark(source, found, figure))


def _int8(
    source: Exportable, files: Sequence[Exported], folder: Path, graph: Graph, most: int
) -> tuple[Exported, PairedTest]:
    """Quantise the ONNX file, or one that is written for this purpose."""
    for each in files:
        if each.kind == "onnx":
            return write_int8(source, each.file, folder, most)
    with TemporaryDirectory() as elsewhere:
        [whole] = write_files(source, ["onnx"], Path(elsewhere), graph)
        return write_int8(source, whole.file, folder, most)
