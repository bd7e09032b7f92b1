"""Augmentations that have a name: each is a YAML list beside this file, to be copied and edited."""

from pathlib import Path

import albumentations as A
from jsonargparse import ArgumentParser

FOLDER = Path(__file__).parent / "presets"
Transform = A.BasicTransform | A.BaseCompose


def preset_names() -> list[str]:
    """All presets, in alphabetical order."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def load_augmentation(name_or_file: str) -> list[Transform]:
    """The transforms of a preset, or of a YAML file with such a list.

    Args:
        name_or_file: One of `preset_names`, or a path that ends in `.yaml`.

    Raises:
        ValueError: If there is no such preset and no such file.
    """
    file = FOLDER / f"{name_or_file}.yaml"
    if name_or_file.endswith((".yaml", ".yml")):
        file = Path(name_or_file)
    if not file.is_file():
        raise ValueError(
            f"There is no augmentation {name_or_file!r}: expected one of "
            f"{', '.join(preset_names())}, a YAML file, or a list of transforms."
        )
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--augmentation", type=list[Transform])
    indented = "".join(f"  {line}\n" for line in file.read_text(encoding="utf-8").splitlines())
    config = parser.parse_string(f"augmentation:\n{indented}")
    return parser.instantiate_classes(config).augmentation
