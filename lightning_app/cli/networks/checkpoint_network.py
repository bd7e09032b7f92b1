"""Network of a checkpoint that `lightning_cli fit` has written."""

from argparse import ArgumentError
from pathlib import Path
from typing import Any

from lightning_app.cli.allowed_classes import only_allowed_classes
from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.errors.parse_errors import explain_parse_error
from lightning_app.cli.networks.network import Network
from lightning_app.store.checkpoints import find_checkpoint, readable_checkpoint
from lightning_app.store.describe_run import MEMBERS
from lightning_app.store.run_recorder import (
    CLASS_NAMES,
    IMAGE_SIZE,
    NUM_CHANNELS,
    RESIZE,
    RUN_ID,
    RUN_NAME,
)
from lightning_app.store.runs import find_run, open_store
from models import ImageClassifier

HYPER_PARAMETERS = "hyper_parameters"  # Lightning's key for the settings of the network


def checkpoint_network(wanted: str, image_size: int | None) -> Network:
    """Build the network of a checkpoint and load its weights.

    Args:
        wanted: See `find_checkpoint`.
        image_size: Side of the images in pixels; None for the size of the training.

    Raises:
        ValueError: If there is no such file or run, or the file is not a checkpoint of a fit.
    """
    found = find_checkpoint(wanted)
    try:
        file, checkpoint = readable_checkpoint(found)
    except ValueError as error:
        hint = "For a file of weights, use --network NAME --weights FILE."
        raise ValueError(f"{error} {hint}") from error
    model = _rebuilt(file, checkpoint)
    num_classes = model.num_classes
    names = checkpoint.get(CLASS_NAMES) or [f"class {index}" for index in range(num_classes)]
    backbone = checkpoint[HYPER_PARAMETERS]["backbone"].get("init_args", {})
    size = image_size or checkpoint.get(IMAGE_SIZE) or _size_in_store(checkpoint.get(RUN_ID))
    if size is None:
        raise ValueError(
            f"{file} does not name the size of the images that it was trained on; set their side "
            "in pixels with --image_size."
        )
    channels = checkpoint.get(NUM_CHANNELS) or backbone.get("num_channels", 3)
    how = checkpoint.get(RESIZE, "squeeze")  # earlier versions knew nothing else
    title, run_id = _title(file, checkpoint), checkpoint.get(RUN_ID)
    return Network(model, tuple(names), int(size), channels, title, run_id, how)


def _title(file: Path, checkpoint: dict[str, Any]) -> str:
    """Name of the run, which earlier versions did not save, of the file, and the epoch."""
    has_epoch = "epoch" in checkpoint and MEMBERS not in checkpoint
    epoch = f"epoch {checkpoint['epoch']}" if has_epoch else ""
    return ", ".join(filter(None, (checkpoint.get(RUN_NAME), file.name, epoch)))


def _rebuilt(file: Path, checkpoint: dict[str, Any]) -> ImageClassifier:
    """Build the network and load its weights, without fetching pretrained weights again."""
    settings = checkpoint.get(HYPER_PARAMETERS)
    backbone = settings.get("backbone") if isinstance(settings, dict) else None
    if not isinstance(backbone, dict) or "class_path" not in backbone:
        raise ValueError(
            f"{file} is not a checkpoint of an ImageClassifier that `lightning_cli fit` trained: "
            "it does not name its backbone."
        )
    arguments = dict(backbone.get("init_args") or {})
    arguments |= {"pretrained": False} if "pretrained" in arguments else {}
    arguments |= {"weights": None} if "weights" in arguments else {}
    with only_allowed_classes(file):
        try:
            return ImageClassifier.load_from_checkpoint(
                file,
                map_location="cpu",
                weights_only=True,
                backbone={**backbone, "init_args": arguments},
                compile=False,
            )
        except (ImportError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(f"The network of {file} cannot be rebuilt: {error}") from error
        except ArgumentError as error:
            reason = " ".join(explain_parse_error(str(error), (), CommandParser()).split())
            raise ValueError(f"The network of {file} cannot be rebuilt: {reason}") from error


def _size_in_store(run_id: str | None) -> str | None:
    """Image size of the run: older checkpoints do not hold it."""
    if run_id is None:
        return None
    try:
        return find_run(open_store(), run_id).data.params.get("data.image_size")
    except ValueError:  # the checkpoint was copied from another store
        return None
