"""Names of classes in YAML are text, also where they look like numbers, dates, or yes and no."""

import json
from collections.abc import Iterator, Sequence

import yaml

SETTINGS = ("class_names", "exclude_classes", "merge_classes")
NO_NAMES = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:null")


def with_class_names_as_text(text: str) -> str:
    """The text of a configuration with quoted names of classes; lines keep their numbers.

    So 0, 010 and 1e3 are the names of folders, not the numbers 0, 8 and 1000.
    """
    if not any(name in text for name in SETTINGS):
        return text
    names = {node.start_mark.index: node for node in _names(text) if node.tag not in NO_NAMES}
    for start, node in sorted(names.items(), reverse=True):
        text = f"{text[:start]}{json.dumps(node.value)}{text[node.end_mark.index :]}"
    return text


def check_class_names(text: str, place: str) -> None:
    """Refuse names of classes that YAML reads as yes, no or nothing.

    Args:
        text: Of a configuration.
        place: The file, for the message.

    Raises:
        ValueError: With the line, and how to write the name.
    """
    for node in _names(text) if any(name in text for name in SETTINGS) else ():
        if node.tag in NO_NAMES:
            line = f", line {node.start_mark.line + 1}" if place else ""
            meant = {"tag:yaml.org,2002:null": "nothing"}.get(node.tag, "true or false")
            written = node.value or "null"
            raise ValueError(
                f"{place or 'command line'}{line}: the name of a class is {written}, which YAML "
                f'reads as {meant}. Write it in quotes: ["{written}"].'
            )


def with_arguments_as_text(arguments: Sequence[str]) -> list[str]:
    """A command line with quoted names of classes.

    Raises:
        ValueError: If a name is one that YAML reads as yes, no or nothing.
    """
    quoted: list[str] = []
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if not equals and quoted:
            option, value = quoted[-1], argument
        setting = option.rstrip("+").rpartition(".")[2]
        if option.startswith("--") and setting in SETTINGS and value[:1] in ("[", "{"):
            check_class_names(f"{setting}: {value}", "")
            value = with_class_names_as_text(f"{setting}: {value}").partition(": ")[2]
            quoted.append(f"{option}={value}" if equals else value)
        else:
            quoted.append(argument)
    return quoted


def _names(text: str) -> list[yaml.ScalarNode]:
    """Unquoted scalars below the settings that hold names of classes."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError:  # the parser reports it
        return []
    return [node for node in _below(root, False) if node.style is None]


def _below(node: yaml.Node | None, is_name: bool) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode) and is_name:
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _below(item, is_name)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _below(key, is_name)
            is_list = isinstance(value, (yaml.SequenceNode, yaml.MappingNode))
            yield from _below(value, is_name or (key.value in SETTINGS and is_list))
