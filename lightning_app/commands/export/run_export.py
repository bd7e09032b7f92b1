"""Export of a network: its files, the quantised one, and the benchmark."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from matplotlib.figure import Figure

from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.networks.logged_model import write_model_folder
from lightning_app.cli.networks.write_files import (
    FORMATS,
    Exported,
    Format,
    Graph,
    file_name,
    write_files,
)
from lightning_app.commands.export.benchmark import Benchmark, log_benchmark, run_benchmark
from lightning_app.commands.export.write_int8 import write_int8
from lightning_app.output.folder import Folder
from models.evaluation.paired_test import PairedTest
from models.export.shipped_code import INPUT_FILE, code_of

MOST = 2000  # images on which accuracies are measured
Kind = Format | Literal["mlflow"]
KINDS: tuple[Kind, ...] = (*FORMATS, "mlflow")


@dataclass(frozen=True)
class Results:
    """What was written and measured.

    Attributes:
        files: The files, and the folder of an MLflow model.
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
    kinds: Sequence[Kind],
    folder: Path,
    graph: Graph = Graph(),
    int8: bool = False,
    benchmark: bool = False,
    most: int = MOST,
) -> Results:
    """Write the files of a network, and measure them.

    Args:
        source: The network.
        kinds: Formats of the files; `mlflow` is a folder that MLflow loads.
        folder: Output folder.
        graph: How graphs take images.
        int8: Whether to write a quantised ONNX file, too.
        benchmark: Whether to measure size, speed and accuracy.
        most: Images on which accuracies are measured, at most.

    Raises:
        ValueError: See `write_files` and `write_int8`.
    """
    Folder(folder)  # refuses a file
    if int8:
        source.require_data("int8 is calibrated on training images")
        source.require_unseen("int8 is tested on images that the network was not trained on")
    files, test = write_files(source, [f for f in FORMATS if f in kinds], folder, graph), None
    written = [*files]
    if int8:
        with _onnx(source, files, graph) as onnx:
            quantized, test = write_int8(source, onnx.file, folder, most)
        files, written = [*files, quantized], [*written, quantized]
    if "mlflow" in kinds:
        model = folder / f"{file_name(source)}.mlflow"
        with _onnx(source, files, graph) as onnx:
            write_model_folder(source, onnx.file, model)
        written.append(Exported("mlflow", model, onnx.agreement))
    if any(each.kind != "safetensors" for each in written):
        (folder / INPUT_FILE).write_text(code_of("image_input"), encoding="utf-8")
    if not benchmark:
        return Results(written, test)
    found = run_benchmark(source, files, most)
    figure = found.figure(f"Formats of {source.title}")
    return Results(written, test, found, figure, log_benchmark(source, found, figure))


@contextmanager
def _onnx(source: Exportable, files: Sequence[Exported], graph: Graph) -> Iterator[Exported]:
    """The ONNX file, or one that is written for this purpose."""
    if whole := [each for each in files if each.kind == "onnx"]:
        yield whole[0]
        return
    with TemporaryDirectory() as elsewhere:
        [only] = write_files(source, ["onnx"], Path(elsewhere), graph)
        yield only
