"""Reader of the YAML file of an ablation."""

from dataclasses import fields
from pathlib import Path

import yaml

from datamodules.yaml_file import read_yaml_text
from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.errors.possible_names import suggest_names
from lightning_app.commands.ablate.plan import Plan

NULL = "tag:yaml.org,2002:null"


def read_plan(file: Path) -> Plan:
    """Read the file of an ablation.

    Raises:
        ValueError: If there is no such file, or its plan is invalid.
        SystemExit: With 2 if it does not parse.
    """
    if not file.is_file():
        raise ValueError(f"There is no file {file}.")
    content = _node(file)
    if not isinstance(content, yaml.MappingNode):
        raise ValueError(
            f"{file} has no settings; an ablation needs at least `base` and `variations`."
        )
    _check_keys(content, file)
    _check_duplicates(content, file)
    _check_empty(content, file)
    parser = CommandParser(prog="lightning_cli ablate")
    parser.add_argument("--config", action="config")
    parser.add_class_arguments(Plan)
    if "base" not in {key.value for key, _ in content.value}:
        raise ValueError(f"{file} names no configuration; add `base: configs/FILE.yaml`.")
    settings = parser.instantiate_classes(parser.parse_args(["--config", str(file)]))
    return Plan(**{part.name: settings[part.name] for part in fields(Plan)})


def _node(file: Path) -> yaml.Node | None:
    try:
        return yaml.compose(read_yaml_text(file))
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not valid YAML: {error}") from error


def _check_keys(content: yaml.MappingNode, file: Path) -> None:
    """Reject unknown keys; jsonargparse would complain of the first space below them."""
    known = [part.name for part in fields(Plan)]
    for key, _ in content.value:
        if key.value not in known:
            names = suggest_names(str(key.value), known)
            raise ValueError(f"{file}, line {_line(key)}: there is no key {key.value!r}.{names}")


def _check_empty(content: yaml.MappingNode, file: Path) -> None:
    """Reject empty settings, which the parser would treat as missing."""
    for key, value in content.value:
        if value.tag == NULL or (key.value == "base" and value.value == []):
            raise ValueError(f"{file}, line {_line(key)}: `{key.value}:` is empty.")
        if key.value != "variations" or not isinstance(value, yaml.MappingNode):
            continue
        for name, settings in value.value:
            if not isinstance(settings, yaml.MappingNode):
                raise ValueError(
                    f"{file}, line {_line(name)}: the variation {name.value!r} has no settings; "
                    "expected some, such as {data.augmentation: none}."
                )


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _check_duplicates(node: yaml.MappingNode, file: Path) -> None:
    """Reject duplicate keys, of which YAML silently takes the last."""
    seen = set()
    for key, value in node.value:
        if str(key.value) in seen:
            raise ValueError(f"{file}, line {_line(key)}: duplicate key {key.value!r}.")
        seen.add(str(key.value))
        if isinstance(value, yaml.MappingNode):
            _check_duplicates(value, file)
