"""Logged model of a run: what MLflow shows, registers and serves of its network."""

import base64
import io
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model
from PIL import Image

from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.networks.write_files import write_files
from lightning_app.store.logged_models import CHECKPOINT, EPOCH, link_scores
from models.export.mlflow_model import write_mlflow_model
from models.export.onnx_file import OnnxNetwork

KIND = "image classifier"
FORBIDDEN = "/:.%\"'"  # in the name of a logged model


def log_model(source: Exportable) -> LoggedModel:
    """Log the network of a checkpoint as a model of its run, with the scores of its epoch.

    Args:
        source: The network.

    Raises:
        ValueError: If the run is not in the store, or ONNX cannot express the network.
        DifferentOutputError: If the exported network does not give the outputs of the checkpoint.
    """
    client, run = source.stored
    with TemporaryDirectory() as parts:
        [onnx] = write_files(source, ["onnx"], Path(parts))
        description = OnnxNetwork(onnx.file).description
        name = "".join("_" if letter in FORBIDDEN else letter for letter in source.file.stem)
        found = client.create_logged_model(
            run.info.experiment_id,
            name,
            run.info.run_id,
            tags={CHECKPOINT: source.file.stem, EPOCH: str(source.epoch)},
            params={"network": description.network, "image_size": str(description.image_size)},
            model_type=KIND,
        )
        try:
            about = Model(found.artifact_location, run.info.run_id, model_id=found.model_id)
            folder = Path(parts) / "model"
            write_mlflow_model(onnx.file, description, _example(source), folder, about)
            client.log_model_artifacts(found.model_id, str(folder))
            output = LoggedModelOutput(found.model_id, step=max(source.epoch, 0))
            client.log_outputs(run.info.run_id, [output])
        except BaseException:
            client.finalize_logged_model(found.model_id, LoggedModelStatus.FAILED)
            raise
    found = client.finalize_logged_model(found.model_id, LoggedModelStatus.READY)
    link_scores(client, client.get_run(run.info.run_id), found)
    return found


def write_model_folder(source: Exportable, onnx: Path, folder: Path) -> None:
    """Write an MLflow model that belongs to no run.

    Args:
        source: The network.
        onnx: Its ONNX file.
        folder: The folder to create.

    Raises:
        ValueError: If the folder exists.
    """
    if folder.exists():
        raise ValueError(f"{folder} exists; remove it, or choose another folder with --out.")
    write_mlflow_model(onnx, OnnxNetwork(onnx).description, _example(source), folder)


def _example(source: Exportable) -> str:
    """An image of the dataset, or a random one, as the base64 text of a PNG file."""
    pixels = source.probes()[0].permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0]).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
