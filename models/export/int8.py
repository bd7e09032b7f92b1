"""Quantisation: an ONNX file whose weights and activations are integers of 8 bits."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from models.export.description import Description
from models.export.onnx_file import INPUT, OUTPUTS, require_packages

QUANTIZED = ["Conv", "Gemm", "MatMul"]  # nearly all of the work; the rest stays as it is


def quantize(
    file: Path, images: Iterable[np.ndarray], target: Path, description: Description
) -> None:
    """Quantise the convolutions and matrix products of an ONNX file (static quantisation, QDQ).

    Weights have a scale per channel and 7 bits: with 8, the products of two bytes overflow on
    processors without VNNI, so that accuracy would depend on the processor. The range of
    activations is that of the calibration images.

    Args:
        file: The file in float32.
        images: Calibration images, of the input's type, (n, C, H, W) each.
        target: The file to write.
        description: Description of the network, which is stored in the file.

    Raises:
        ValueError: If a package is missing, or the network cannot be quantised.
    """
    require_packages()
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # it recommends a preparation that torch has done
    try:
        quantize_static(
            file,
            target,
            _reader(iter(images)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTIZED,
            nodes_to_exclude=_comparison(onnx.load(file)),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    except Exception as error:  # of any kind, on operators that it does not know
        raise ValueError(f"onnxruntime cannot quantise {file}: {error}") from error
    finally:
        logging.root.setLevel(level)
    written = onnx.load(target)
    onnx.helper.set_model_props(written, description.metadata())
    onnx.save(written, target)


def _comparison(model: Any) -> list[str]:
    """Name of the product that compares an image with known ones, whose angles are small.

    It is the last product before the output `unknown`.
    """
    producers = {name: node for node in model.graph.node for name in node.output}
    wanted = [OUTPUTS[-1]]
    while wanted:
        node = producers.get(wanted.pop(0))
        if node is not None and node.op_type in QUANTIZED:
            return [node.name]
        wanted += node.input if node is not None else []
    return []


def _reader(images: Iterator[np.ndarray]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:  # pyright: ignore[reportIncompatibleMethodOverride]
            batch = next(images, None)
            return None if batch is None else {INPUT: batch}

    return Reader()
