"""The options of `prepare check` that are settings of a fit's data."""

from collections.abc import Sequence
from pathlib import Path

from lightning_app.cli.one_line.options import value_of
from lightning_app.cli.shipped_configs import OPTIONS


def data_options(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The configurations and settings of the data on a command line, and all others.

    Args:
        arguments: The command line.

    Returns:
        `--config` and what begins with `--data`, each with its value; what is left.
    """
    of_data: list[str] = []
    others: list[str] = []
    follows = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        is_setting = name in OPTIONS or name == "--data" or name.startswith("--data.")
        if is_setting or (follows and not argument.startswith("--")):
            of_data.append(argument)
        else:
            others.append(argument)
        follows = is_setting and not equals
    return of_data, others


def name_of_dataset(data: Path | None, of_data: Sequence[str]) -> str:
    """The name of a dataset for its report: that of its folder or file, else of a configuration."""
    if data is not None:
        return data.resolve().name
    values = (value_of(name, of_data) for name in ("--data.root", "--data.file", *OPTIONS))
    given = next((Path(value) for value in values if value), Path("data"))
    return given.stem if given.suffix in (".yaml", ".yml") else given.resolve().name
