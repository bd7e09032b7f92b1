"""MLflow model of an exported network: a folder that MLflow loads where none of our code is."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow.pyfunc
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types.schema import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    Map,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
    TensorSpec,
)

from models.export.description import Description
from models.export.shipped_code import code_of

PACKAGES = ("numpy", "onnxruntime", "pandas", "pillow")  # MLflow adds itself
TOP_K = 5
CLASS = [Property("label", DataType.string), Property("probability", DataType.double)]


def write_mlflow_model(
    onnx: Path, description: Description, example: str, folder: Path, model: Model | None = None
) -> None:
    """Write an MLflow model.

    Args:
        onnx: The network, as `write_onnx` writes it.
        description: Description of the network, which is stored with it.
        example: An image as base64 text, which MLflow keeps as example of an input.
        folder: The folder to create.
        model: What MLflow knows of the model; None for one that is not logged.
    """
    with TemporaryDirectory() as parts, _quiet():
        code = Path(parts) / "image_classifier.py"
        code.write_text(code_of("pyfunc_model"), encoding="utf-8")
        mlflow.pyfunc.save_model(
            folder,
            python_model=str(code),
            artifacts={"network": str(onnx)},
            signature=_signature(description),
            input_example=pd.DataFrame({"image": [example]}),
            pip_requirements=[f"{name}=={version(name)}" for name in PACKAGES],
            metadata=description.metadata(),
            mlflow_model=model or Model(),
        )


def _signature(description: Description) -> ModelSignature:
    """What goes in and comes out; not every network has the last two columns."""
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.string, "label"),
        ColSpec(DataType.double, "probability"),
        ColSpec(Map(DataType.double), "probabilities"),
        ColSpec(Array(Object(CLASS)), "top"),
    ]
    if description.set_levels:
        columns.append(ColSpec(Array(DataType.string), "set"))
    if description.unknown_threshold is not None:
        columns.append(ColSpec(DataType.boolean, "unknown"))
    return ModelSignature(
        Schema([ColSpec(AnyType())]),
        Schema(columns),
        ParamSchema([ParamSpec("top_k", DataType.long, TOP_K)]),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide MLflow's messages about pip versions and about its own checks."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
