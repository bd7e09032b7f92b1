"""The network of a checkpoint that `lightning_cli fit` left."""

from pathlib import Path
from typing import Any

from lightning_app.commands.explain.network import Network
from lightning_app.store.checkpoints import find_checkpoint, read_checkpoint
from lightning_app.store.run_recorder import CLASS_NAMES, IMAGE_SIZE, NUM_CHANNELS, RUN_ID
from lightning_app.store.runs import find_run, open_store
from models import ImageClassifier

HYPER_PARAMETERS = "hyper_parameters"  # Lightning's key of what the network was built with


def trained_network(wanted: str, image_size: int | None) -> Network:
    """The network of a checkpoint, as it was when that was written.

    Args:
        wanted: See `find_checkpoint`.
        image_size: Side of the images in pixels; None for that of the training.

    Raises:
        ValueError: If there is no such file or run, or it holds something else.
    """
    file = find_checkpoint(wanted)
    try:
        checkpoint = read_checkpoint(file)
    except ValueError as error:
        hint = "A file of weights alone goes with --network NAME --weights FILE."
        raise ValueError(f"{error} {hint}") from error
    model = _rebuilt(file, checkpoint)
    num_classes = model.num_classes
    names = checkpoint.get(CLASS_NAMES) or [f"class {index}" for index in range(num_classes)]
    backbone = checkpoint[HYPER_PARAMETERS]["backbone"].get("init_args", {})
    size = image_size or checkpoint.get(IMAGE_SIZE) or _size_in_store(checkpoint.get(RUN_ID))
    if size is None:
        raise ValueError(
            f"{file} does not say how large the images were that it was trained on: give their "
            "side in pixels with --image_size."
        )
    channels = checkpoint.get(NUM_CHANNELS) or backbone.get("num_channels", 3)
    title = f"{file.name}, epoch {checkpoint['epoch']}" if "epoch" in checkpoint else file.name
    return Network(model, tuple(names), int(size), channels, title, checkpoint.get(RUN_ID))


def _rebuilt(file: Path, checkpoint: dict[str, Any]) -> ImageClassifier:
    """Build the network and load its weights; whatever it was built from is not fetched again."""
    settings = checkpoint.get(HYPER_PARAMETERS)
    backbone = settings.get("backbone") if isinstance(settings, dict) else None
    if not isinstance(backbone, dict) or "class_path" not in backbone:
        raise ValueError(
            f"{file} is no checkpoint of an ImageClassifier that `lightning_cli fit` trained: it "
            "does not say what backbone it has."
        )
    arguments = dict(backbone.get("init_args") or {})
    arguments |= {"pretrained": False} if "pretrained" in arguments else {}
    arguments |= {"weights": None} if "weights" in arguments else {}
    try:
        return ImageClassifier.load_from_checkpoint(
            file,
            map_location="cpu",
            weights_only=True,
            backbone={**backbone, "init_args": arguments},
            compile=False,
        )
    except (ImportError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"The network of {file} cannot be built again: {error}") from error


def _size_in_store(run_id: str | None) -> str | None:
    """What the run says, for checkpoints that are older than the note in them."""
    if run_id is None:
        return None
    try:
        return find_run(open_store(), run_id).data.params.get("data.image_size")
    except ValueError:  # the checkpoint was copied from another store
        return None
