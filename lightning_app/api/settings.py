"""Python values as the command line takes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ONE_LINE = 1_000_000  # characters that a line of YAML may have


def as_config(config: str | Path | Mapping[str, Any]) -> str:
    """The option that names a configuration file, or that holds a configuration as YAML.

    A folder, or a file that is no YAML file, is a dataset: the path itself, as after `fit`.

    Raises:
        ValueError: If a dict is empty, or holds a value that YAML cannot express.
    """
    if not isinstance(config, Mapping):
        is_data = Path(config).exists() and Path(config).suffix not in (".yaml", ".yml")
        return str(config) if is_data else f"--config={config}"
    if not config:
        raise ValueError("The configuration is empty; expected the keys data, model and trainer.")
    return f"--config={_yaml('config', config)}"


def as_arguments(overrides: Mapping[str, Any]) -> list[str]:
    """One option per setting.

    Args:
        overrides: Values by dotted names; strings are taken as they are.

    Raises:
        ValueError: If a value is of a kind that YAML cannot express.
    """
    return [
        f"--{name}={value if isinstance(value, str) else _yaml(name, value)}"
        for name, value in overrides.items()
    ]


def _yaml(name: str, value: Any) -> str:
    """A value in one line of YAML."""
    try:
        text = yaml.safe_dump(
            _plain(value), default_flow_style=True, sort_keys=False, width=ONE_LINE
        )
    except yaml.representer.RepresenterError as error:
        raise ValueError(
            f"{name}: expected values that YAML can express (numbers, strings, lists, dicts; a "
            f"class by its name), got {error.args[-1]!r}."
        ) from error
    return text.removesuffix("...\n").strip()


def _plain(value: Any) -> Any:
    """Without paths, tuples and NumPy's numbers."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value.item() if isinstance(value, np.generic) else value
