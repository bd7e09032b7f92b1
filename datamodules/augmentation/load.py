"""Augmentations that have a name: each is a YAML list beside this file, to be copied and edited."""

from argparse import ArgumentError
from pathlib import Path
from typing import Any

import albumentations as A
import yaml
from albumentations.core.serialization import Serializable
from jsonargparse import ArgumentParser

FOLDER = Path(__file__).parent / "presets"
EXAMPLE = "- class_path: albumentations.HorizontalFlip"
Transform = A.BasicTransform | A.BaseCompose


def preset_names() -> list[str]:
    """All presets, in alphabetical order."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def augmentation_file(name_or_file: str) -> Path:
    """The YAML file of a preset, or the one that is named.

    Args:
        name_or_file: One of `preset_names`, or a path that ends in `.yaml` or `.yml`.

    Raises:
        ValueError: If there is no such preset and no such file.
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
    """The transforms of a preset, or of a YAML file with such a list.

    Args:
        name_or_file: See `augmentation_file`.

    Raises:
        ValueError: If there is no such preset and no such file, or what it holds is no list of
            transforms; the text names the file and the entry.
    """
    file = augmentation_file(name_or_file)
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is no valid YAML: {error}") from None
    if not isinstance(entries, list):
        got = "nothing" if entries is None else f"a {type(entries).__name__}"
        raise ValueError(f"{file} holds {got}; expected a list of entries such as `{EXAMPLE}`.")
    return [_build(entry, f"{file}, entry {i}") for i, entry in enumerate(entries, start=1)]


def _build(entry: Any, where: str) -> Transform:
    name = entry.get("class_path") if isinstance(entry, dict) else entry
    if not isinstance(name, str):
        raise ValueError(f"{where}: {entry!r} is no transform; expected such as `{EXAMPLE}`.")
    parser = ArgumentParser(exit_on_error=False)
    # The base of both kinds of transforms: with their union, errors would come once for each.
    parser.add_argument("--transform", type=Serializable)
    try:
        config = parser.parse_object({"transform": entry})
        return parser.instantiate_classes(config)["transform"]
    except (ArgumentError, ValueError, TypeError) as error:
        raise ValueError(f"{where}, {name}: {_reason(str(error))}") from None


def _reason(text: str) -> str:
    """What a parser's error says, without the echo of all values and the links to read more."""
    echoes = ("Parser key", "Given value", "For further information")
    lines = [line for line in text.splitlines() if not line.strip().startswith(echoes)]
    return "\n".join(lines).strip()
