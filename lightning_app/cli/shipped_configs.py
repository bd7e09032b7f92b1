"""Shipped configurations: `--config digits` means `digits.yaml` of this package."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import lightning_app

PACKAGE = Path(lightning_app.__file__).parent
# In the wheel they are part of the package; in a clone they lie beside it.
FOLDERS = (PACKAGE / "configs", PACKAGE.parent / "configs")
OPTIONS = ("-c", "--config")


def shipped_configs() -> dict[str, Path]:
    """The files of the shipped configurations by their names, without `.yaml`."""
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    files = sorted(folder.glob("*.yaml")) if folder else []
    return {file.stem: file for file in files}


def with_shipped_configs(arguments: Sequence[str]) -> list[str]:
    """The command line, in which names of shipped configurations are replaced by their files.

    A file or folder here that has this name is meant first.
    """
    return list(_replaced(arguments))


def _replaced(arguments: Sequence[str]) -> Iterator[str]:
    follows = False
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if follows:
            yield _file(argument)
        elif option in OPTIONS and equals:
            yield f"{option}={_file(value)}"
        else:
            yield argument
        follows = argument in OPTIONS


def _file(name: str) -> str:
    if not name.isidentifier() or Path(name).exists():  # settings, or a file of the user
        return name
    return str(shipped_configs().get(name, name))
