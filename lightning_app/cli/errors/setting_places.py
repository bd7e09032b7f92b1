"""Places of settings: a line of a configuration file, or the command line."""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from datamodules.yaml_file import read_yaml_text

STRUCTURE = ("class_path", "init_args", "dict_kwargs")  # keys that jsonargparse itself reads
COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Setting:
    """A key with its value, as the user wrote them.

    Args:
        keys: The path to the value, without `class_path` and `init_args`.
        value: The text of a scalar, "" for anything else.
        place: A file with a line number, or the command line.
        beside_class: Whether it is beside a `class_path`, where only `init_args` is allowed.
    """

    keys: tuple[str, ...]
    value: str
    place: str
    beside_class: bool = False


def config_files(arguments: Sequence[str]) -> list[Path]:
    """The files given with `--config` that exist."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--config", action="append", nargs="?", default=[])
    known, _ = parser.parse_known_args(list(arguments))
    # Not Path.is_file: settings can be given instead of a name, and it raises on long names.
    return [Path(name) for name in known.config if name and os.path.isfile(name)]  # noqa: PTH113


def all_settings(arguments: Sequence[str]) -> list[Setting]:
    """Every setting of the command line, then of the configuration files."""
    settings = list(_of_command_line(arguments))
    for file in config_files(arguments):
        try:
            settings += _of_node(yaml.compose(read_yaml_text(file)), (), str(file))
        except yaml.YAMLError:  # the error is in an earlier file: the parser did not get to this
            break
    return settings


def locate(keys: tuple[str, ...], value: str, arguments: Sequence[str]) -> Setting | None:
    """The setting whose path ends with `keys`; among several, preferably one with this value."""
    found = [setting for setting in all_settings(arguments) if _matches(setting, keys, value)]
    same = [s for s in found if s.value and s.value in (value, value.rsplit(".", 1)[-1])]
    return next(iter(same + found), None)


def unreadable_file(arguments: Sequence[str]) -> str:
    """Describe the first configuration file without valid settings; "" if there is none."""
    for file in config_files(arguments):
        try:
            content = yaml.safe_load(read_yaml_text(file))
        except yaml.MarkedYAMLError as error:
            line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
            begin = f" of line {error.context_mark.line + 1}" if error.context_mark else ""
            context = f" {error.context}{begin}" if error.context else ""
            return f"{file}{line}: not valid YAML: {error.problem}{context}."
        if not isinstance(content, dict):
            got = "nothing" if content is None else f"a {type(content).__name__}"
            return f"{file}: expected keys with values (`data: ...`, `model: ...`), got {got}."
    return ""


def _matches(setting: Setting, keys: tuple[str, ...], value: str) -> bool:
    ends = setting.keys[-len(keys) :] == keys
    if ends or setting.place != COMMAND_LINE:
        return ends
    # A setting inside it, `--pictures.budgt x`, or a whole branch, `--data '{batch_size: x}'`.
    begun = ".".join(keys).startswith(".".join(setting.keys))
    return setting.keys[: len(keys)] == keys or (begun and (value or keys[-1]) in setting.value)


def _of_command_line(arguments: Sequence[str]) -> Iterator[Setting]:
    for argument, following in zip(arguments, [*arguments, ""][1:], strict=True):
        if argument.startswith("--"):
            key, equals, value = argument[2:].partition("=")
            yield Setting(_path(key.rstrip("+")), value if equals else following, COMMAND_LINE)


def _of_node(node: yaml.Node | None, keys: tuple[str, ...], file: str) -> Iterator[Setting]:
    if isinstance(node, yaml.MappingNode):
        names = [str(key.value) for key, _ in node.value]
        for name, (key, value) in zip(names, node.value, strict=True):
            inner = keys + _path(name)
            beside = "class_path" in names and name not in STRUCTURE
            place = f"{file}, line {key.start_mark.line + 1}"
            yield Setting(inner, _text(value), place, beside)
            yield from _of_node(value, inner, file)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield Setting(keys, _text(item), f"{file}, line {item.start_mark.line + 1}")
            yield from _of_node(item, keys, file)


def _path(key: str) -> tuple[str, ...]:
    return tuple(part for part in key.split(".") if part not in STRUCTURE)


def _text(node: yaml.Node) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""
