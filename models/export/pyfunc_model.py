"""The model that MLflow loads: images in, labels and probabilities out.

MLflow runs this file as it is ("models from code"), so nothing is unpickled. `code_of` puts the
sources of `image_input` and of what it imports in place of the imports: the model then needs no
package of this project, and two versions of it can be loaded side by side.
"""

import base64
import binascii
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from models.export.image_file import UnreadableImage
from models.export.image_input import image_input

BATCH = 32
MAX_BYTES = 32 * 2**20  # of an image file that is given as text
MAX_PATH = 4096  # characters
TOP_K = 5
DOUBTS = {"prediction_set": "set", "unknown": "unknown"}
SERVING = "_MLFLOW_IS_IN_SERVING_ENVIRONMENT"  # environment variable, set by MLflow's server


class ImageClassifierModel(PythonModel):
    """Classifies images with an exported network.

    An image is the content of an image file, as bytes or base64 text; the path of one; or uint8
    pixels, (H, W) or (H, W, 3). A server takes no path: whoever asks it must not read its files.
    """

    def load_context(self, context: Any) -> None:
        """Open the network, whose metadata say all that is to be known of it."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            context.artifacts["network"], options, providers=["CPUExecutionProvider"]
        )
        found = self.session.get_modelmeta().custom_metadata_map
        self.class_names: list[str] = json.loads(found["class_names"])
        self.format = (
            json.loads(found["image_size"]),
            json.loads(found["num_channels"]),
            found["resize"],
        )
        self.input_type = found["input_type"]
        outputs = {output.name for output in self.session.get_outputs()}
        # Outputs that not every network has, and their columns.
        self.doubts = {name: column for name, column in DOUBTS.items() if name in outputs}

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride] - MLflow declares None
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Classify images.

        Args:
            context: MLflow's; not used.
            model_input: A table; the images are its first column.
            params: `top_k`, the number of classes in `top`.

        Returns:
            For each image the most probable class, `label`; its `probability`; the `probabilities`
            of all classes by their names; and the most probable classes, `top`. If the network can
            tell, also the classes of the prediction `set`, and whether the image is `unknown`.

        Raises:
            MlflowException: If an image cannot be read; a server then answers with status 400.
        """
        images = model_input.iloc[:, 0].tolist()
        most = _number_of_classes((params or {}).get("top_k", TOP_K), len(self.class_names))
        rows: list[dict[str, Any]] = []
        for start in range(0, len(images), BATCH):
            batch = [
                self._pixels(image, start + place)
                for place, image in enumerate(images[start : start + BATCH])
            ]
            inputs = {"images": np.stack(batch).astype(self.input_type)}
            found = self.session.run(["probabilities", *self.doubts], inputs)
            rows += [self._row(*outputs, most=most) for outputs in zip(*found, strict=True)]
        columns = ["label", "probability", "probabilities", "top", *self.doubts.values()]
        return pd.DataFrame(rows, columns=columns)

    def _pixels(self, image: Any, number: int) -> np.ndarray:
        try:
            return image_input(_file_or_pixels(image), *self.format)
        except UnreadableImage as error:
            raise MlflowException.invalid_parameter_value(f"Image {number}: {error}") from error

    def _row(
        self,
        probabilities: np.ndarray,
        members: np.ndarray | None = None,
        unknown: np.bool_ | None = None,
        *,
        most: int,
    ) -> dict[str, Any]:
        order = np.argsort(-probabilities, kind="stable")[:most]
        top = [
            {"label": self.class_names[i], "probability": float(probabilities[i])} for i in order
        ]
        named = dict(zip(self.class_names, map(float, probabilities), strict=True))
        row: dict[str, Any] = {**top[0], "probabilities": named, "top": top}
        if members is not None:
            row["set"] = [self.class_names[i] for i in np.flatnonzero(members)]
        if unknown is not None:
            row["unknown"] = bool(unknown)
        return row


def _number_of_classes(wanted: Any, most: int) -> int:
    if not isinstance(wanted, int | np.integer) or wanted < 1:
        raise MlflowException.invalid_parameter_value(f"top_k is {wanted!r}; expected 1 or more.")
    return min(int(wanted), most)


def _file_or_pixels(image: Any) -> bytes | Path | np.ndarray:
    """Content of an image file, its path, or pixels."""
    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image)
    if isinstance(image, np.ndarray):
        return image
    if isinstance(image, list | tuple):
        return _listed_pixels(image)
    if not isinstance(image, str | Path):
        raise UnreadableImage(
            "Expected the content of an image file, as bytes or base64 text, or pixels; got "
            f"{type(image).__name__}. An array is a cell: pandas.DataFrame({{'image': [array]}})."
        )
    is_path = isinstance(image, Path) or (len(image) < MAX_PATH and os.path.isfile(image))  # noqa: PTH113 - takes any text
    if is_path and os.environ.get(SERVING) != "true":
        return Path(image)
    return _decoded(str(image))


def _decoded(text: str) -> bytes:
    """Content of an image file that is given as base64 text, perhaps as a data URI."""
    if len(text) > MAX_BYTES * 4 / 3:
        raise UnreadableImage(
            f"The text has {len(text) / 1e6:,.0f} MB; expected an image file of at most "
            f"{MAX_BYTES // 2**20} MiB."
        )
    encoded = text.partition("base64,")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableImage(
            f"The text {text[:20]!r} is not the base64 text of an image file, nor, outside a "
            "server, the path of one."
        ) from error


def _listed_pixels(image: Any) -> np.ndarray:
    """Pixels that came as nested lists, as JSON has them."""
    try:
        pixels = np.asarray(image)
    except ValueError as error:
        raise UnreadableImage("The rows of the pixels have different lengths.") from error
    if pixels.dtype.kind in "iu" and pixels.size and pixels.min() >= 0 and pixels.max() <= 255:
        return pixels.astype(np.uint8)
    return pixels


set_model(ImageClassifierModel())
