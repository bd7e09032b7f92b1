"""Kept settings: a resumed fit has the network, loss and optimizer of its checkpoint."""

from collections.abc import Sequence
from typing import Any

from lightning.pytorch.utilities import rank_zero_warn

from lightning_app.store.parameters import flatten

LINKED = {"model.num_classes", "model.backbone.num_channels", "model.backbone.image_size"}
SHOWN = 6  # settings that a message names


def report_kept_settings(
    given: dict[str, Any], kept: dict[str, Any], arguments: Sequence[str], path: str
) -> None:
    """Refuse options of the model that a resumed fit ignores, and mention settings of files.

    Args:
        given: The section `model` of the command's configuration.
        kept: That of the checkpoint.
        arguments: The command line.
        path: File of the checkpoint.

    Raises:
        ValueError: If an option of the command line differs from the checkpoint.
    """
    old, new = flatten({"model": given}), flatten({"model": kept})
    shared = (old.keys() & new.keys()) - LINKED  # those are computed from the data
    differing = [key for key in sorted(shared) if old[key] != new[key]]
    options = [_setting(argument) for argument in arguments if argument.startswith("--model")]
    refused = [key for key in differing if _is_set_by(key, options)]
    texts = [f"{key} is {new[key]}, not {old[key]}" for key in refused or differing]
    shown = "; ".join(texts[:SHOWN]) + "; …" * (len(texts) > SHOWN)
    if refused:
        raise ValueError(
            f"A resumed fit keeps the network, loss and optimizer of its checkpoint {path}: "
            f"{shown}. Leave these options out, or start a new run with the weights: "
            f"--model.backbone.weights {path}."
        )
    if differing:
        rank_zero_warn(f"The resumed fit keeps the settings of its checkpoint: {shown}.")


def _setting(argument: str) -> str:
    """Name of the setting of an option, without `init_args`."""
    name = argument.removeprefix("--").partition("=")[0]
    return name.replace(".init_args", "").removesuffix(".class_path")


def _is_set_by(key: str, options: Sequence[str]) -> bool:
    return any(key == option or key.startswith(f"{option}.") for option in options)
