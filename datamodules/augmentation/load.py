"""Augmentation presets: each is a YAML list in `presets/`, which users can copy and edit."""

from argparse import ArgumentError
from pathlib import Path
from typing import Any

import albumentations as A
import yaml
from albumentations.core.serialization import Serializable
from jsonargparse import ArgumentParser

from datamodules.yaml_file import read_yaml_text

FOLDER = Path(__file__).parent / "presets"
EXAMPLE = "- class_path: albumentations.HorizontalFlip"
Transform = A.BasicTransform | A.BaseCompose


def preset_names() -> list[str]:
    """Names of all presets, in alphabetical order."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def augmentation_file(name_or_file: str) -> Path:
    """The YAML file of a preset, or the given file.

    Args:
        name_or_file: One of `preset_names`, or a path that ends in `.yaml` or `.yml`.

    Raises:
        ValueError: If there is no such preset or file.
    """
    is_path = name_or_file.endswith((".yaml", ".yml"))
    file = Path(name_or_file) if is_path else FOLDER / f"{name_or_file}.yaml"
    if not file.is_file():
        raise ValueError(
            f"There is no augmentation {name_or_file!r}: expected one of "
            f"{', '.join(preset_names())}, a YAML file, or a list of transforms."
        )
    return file


def load_augmentation(name_or_file: str) -> list[Transform]:
    """The transforms of a preset, or of a YAML file with a list of them.

    Args:
        name_or_file: See `augmentation_file`.

    Raises:
        ValueError: If there is no such preset or file, or it is not a list of transforms; the
            message names the file and the entry.
    """
    file = augmentation_file(name_or_file)
    try:
        entries = yaml.safe_load(read_yaml_text(file))
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not valid YAML: {error}") from None
    if not isinstance(entries, list):
        got = "nothing" if entries is None else f"a {type(entries).__name__}"
        raise ValueError(f"{file} holds {got}; expected a list of entries like `{EXAMPLE}`.")
    return [_build(entry, f"{file}, entry {i}") for i, entry in enumerate(entries, start=1)]


def _build(entry: Any, where: str) -> Transform:
    name = entry.get("class_path") if isinstance(entry, dict) else entry
    if not isinstance(name, str):
        raise ValueError(f"{where}: {entry!r} is not a transform; expected one like `{EXAMPLE}`.")
    parser = ArgumentParser(exit_on_error=False)
    # The base class of both kinds of transforms; with a union, each error would appear twice.
    parser.add_argument("--transform", type=Serializable)
    try:
        config = parser.parse_object({"transform": entry})
        return parser.instantiate_classes(config)["transform"]
    except (ArgumentError, ValueError, TypeError) as error:
        raise ValueError(f"{where}, {name}: {_reason(str(error))}") from None


def _reason(text: str) -> str:
    """The text of a parser's error, without the echo of all values and the links."""
    echoes = ("Parser key", "Given value", "For further information")
    lines = [line for line in text.splitlines() if not line.strip().startswith(echoes)]
    return "\n".join(lines).strip()
