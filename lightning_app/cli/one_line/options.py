"""Options of a command line as a list: find, take and replace them before they are parsed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from lightning_app.cli.shipped_configs import OPTIONS

YAML = (".yaml", ".yml")
FLAGS = ("--print_config", "--help", "-h")  # options without a value


def take(name: str, options: list[str]) -> str | None:
    """Remove an option, and return its value; None if it is not there."""
    for place, option in enumerate(options):
        if option.startswith(f"{name}="):
            return options.pop(place).partition("=")[2]
        if option == name and place + 1 < len(options):
            return [options.pop(place), options.pop(place)][1]
    return None


def value_of(name: str, options: Sequence[str]) -> str | None:
    """The value of an option; None if it is not there."""
    return take(name, [*options])


def take_path(options: list[str]) -> str | None:
    """Remove the argument that is no option, its value or a YAML file; None if there is none."""
    for place, option in enumerate(options):
        before = options[place - 1] if place else ""
        is_value = before.startswith("-") and "=" not in before and before not in FLAGS
        if not (option.startswith("-") or is_value or Path(option).suffix in YAML):
            return options.pop(place)
    return None


def take_root(options: list[str]) -> str | None:
    """Remove `--data.root PATH` where nothing else says which datamodule reads it."""
    if has_config(options) or has("--data", options):
        return None
    return take("--data.root", options)


def has(name: str, options: Sequence[str]) -> bool:
    """Whether an option is there."""
    return any(option.partition("=")[0] == name for option in options)


def has_config(options: Sequence[str]) -> bool:
    """Whether a configuration is named."""
    return any(has(name, options) for name in OPTIONS)


def after_configs(options: Sequence[str], more: Sequence[str]) -> list[str]:
    """The options with more of them behind the last configuration, or else in front."""
    last = 0
    for place, option in enumerate(options):
        if option.partition("=")[0] in OPTIONS:
            last = place + (1 if "=" in option else 2)
    return [*options[:last], *more, *options[last:]]


def about_data(options: Sequence[str]) -> list[str]:
    """The configurations and the settings of the data; what else they hold is left out."""
    return list(_about_data(options))


def inline(config: dict[str, Any]) -> str:
    """A configuration as an option."""
    text = yaml.safe_dump(config, default_flow_style=True, sort_keys=False, width=10**6)
    return f"--config={text.strip()}"


def _about_data(options: Sequence[str]) -> Iterator[str]:
    for option, following in zip(options, [*options[1:], "--"], strict=True):
        name, equals, value = option.partition("=")
        if name in OPTIONS:
            yield f"{name}={_data_of(value if equals else following)}"
        elif name == "--data" or name.startswith("--data."):
            yield option
            if not (equals or following.startswith("--")):  # else the parser misses the value
                yield following


def _data_of(config: str) -> str:
    """A file, or of settings in place of its name those of the data."""
    if not config.startswith("{"):
        return config
    content = yaml.safe_load(config)
    return inline({key: content[key] for key in ("data",) if key in content}).partition("=")[2]
