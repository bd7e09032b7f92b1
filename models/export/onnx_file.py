"""ONNX files: written by torch's exporter, run by onnxruntime."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.export.description import Description
from models.export.trace import Traced

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
INPUT, OUTPUTS = "images", ("probabilities", "logits", "prediction_set", "unknown")
AXES = ("batch", "height", "width")


def require_packages() -> None:
    """Check that the packages are installed; some platforms have none of them.

    Raises:
        ValueError: If a package is missing.
    """
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise ValueError(
            f"ONNX needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed: `pip install {' '.join(missing)}`."
        )


def write_onnx(traced: Traced, description: Description, file: Path) -> None:
    """Write a traced network as one ONNX file, with its description as metadata.

    Raises:
        ValueError: If a package is missing, or ONNX has no operator for a part of the network.
    """
    require_packages()
    number = len(traced.program.graph_signature.user_outputs)
    with _quiet():
        try:
            written: Any = torch.onnx.export(
                traced.program,
                dynamo=True,
                verbose=False,
                input_names=[INPUT],
                output_names=list(OUTPUTS[:number]),
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise ValueError(f"ONNX cannot express the network: {_reason(error)}") from error
    _name_axes(written)
    written.model.metadata_props.update(description.metadata())
    written.save(file, external_data=False)


class OnnxNetwork:
    """A network of an ONNX file, run by onnxruntime on the CPU.

    Args:
        file: The file.
        threads: Threads that it uses; 0 for one per core.

    Attributes:
        description: Description of the network, which is stored in the file.
    """

    def __init__(self, file: Path, threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        self._session = onnxruntime.InferenceSession(
            file, options, providers=["CPUExecutionProvider"]
        )
        found = self._session.get_modelmeta().custom_metadata_map
        self.description = Description.from_metadata(found)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Probabilities, (N, K), of images (N, C, H, W) with values in 0…255."""
        given = images.astype(self.description.input_type)
        return np.asarray(self._session.run([OUTPUTS[0]], {INPUT: given})[0])


def _name_axes(written: Any) -> None:
    """Give the sizes that may vary readable names, instead of s34."""
    [given] = written.model.graph.inputs
    dims = (given.shape[0], given.shape[2], given.shape[3])
    names = {str(dim.value): name for dim, name in zip(dims, AXES, strict=True) if _varies(dim)}
    written.rename_axes(names)


def _varies(dim: Any) -> bool:
    return not isinstance(dim, int)


def _reason(error: BaseException) -> str:
    """The innermost reason, in which torch names the operator."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().splitlines()[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide what the exporter prints of its own progress, and its warnings about itself."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
