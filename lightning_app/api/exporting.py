"""`lightning_app.export`: a trained network as files that run without this project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lightning_app.api.figures import Figures
from lightning_app.api.run import Run, checkpoint_of
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.networks.write_files import FORMATS, Graph, InputType
from lightning_app.commands.export.export import OUT
from lightning_app.commands.export.run_export import KINDS, MOST, Kind, run_export


@dataclass(frozen=True, eq=False)
class Export:
    """Files of a network, and what was measured.

    Attributes:
        files: The files by format; `int8` is the quantised one.
        benchmark: Size, latency, accuracy and agreement of each file; None without a benchmark.
        figures: The same as a figure.

    Example:
        >>> lightning_app.export("best").files["onnx"]
        PosixPath('exported/SmallCNN-6099.onnx')
    """

    files: Mapping[str, Path]
    benchmark: pd.DataFrame | None
    figures: Figures


def export(
    run: Run | str | Path,
    to: Sequence[Kind] = FORMATS,
    out: str | Path = OUT,
    int8: bool = False,
    benchmark: bool = False,
    input_type: InputType = "uint8",
    any_size: bool = False,
    max_images: int = MOST,
) -> Export:
    """Write a trained network as ONNX, `.pt2` and safetensors, or as a folder that MLflow loads.

    Each file holds the whole way from pixels to probabilities, and describes itself. It is compared
    with the checkpoint before it is kept.

    Args:
        run: A run of `fit` or `load`; or its name or id, `best`, `last`, or a checkpoint file.
        to: The formats: `onnx`, `pt2`, `safetensors`, `mlflow`.
        out: Output folder.
        int8: Also write an ONNX file in 8 bits, calibrated on training images of the run.
        benchmark: Also measure size, speed and accuracy; table and figure join the run.
        input_type: Type of the images that the graph takes; either way with values in 0…255.
        any_size: Let the graph take images of other sizes, too, if the network allows it. For some
            networks this takes minutes or hours.
        max_images: Validation images on which accuracies are measured, at most.

    Raises:
        ValueError: If there is no such run, a file does not give the outputs of the checkpoint, a
            format cannot express the network, or a package that ONNX needs is missing.

    Example:
        >>> made = lightning_app.export(run, to=["onnx"], int8=True, benchmark=True)
        >>> made.benchmark[["format", "megabytes", "ms_1", "accuracy"]]
    """
    if unknown := [each for each in to if each not in KINDS]:
        raise ValueError(f"There is no format {unknown[0]!r}; there are {', '.join(KINDS)}.")
    source = Exportable(str(checkpoint_of(run)) if isinstance(run, Run) else str(run))
    done = run_export(
        source, to, Path(out), Graph(input_type, any_size), int8, benchmark, max_images
    )
    figures = {} if done.figure is None else {"export": done.figure}
    return Export(
        {each.kind: each.file for each in done.files},
        None if done.benchmark is None else pd.DataFrame(done.benchmark.columns),
        Figures(figures),
    )
