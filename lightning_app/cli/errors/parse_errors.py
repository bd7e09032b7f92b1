"""Parse error explained in a few lines: which setting, where it is, and what is possible."""

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jsonargparse import ArgumentParser

from lightning_app.cli.errors import parser_messages
from lightning_app.cli.errors.possible_names import (
    bases_of,
    first_unknown,
    options_below,
    parser_of,
    subclass_names,
    suggest_names,
    yaml_files,
)
from lightning_app.cli.errors.setting_places import Setting, all_settings, locate, unreadable_file
from lightning_app.cli.errors.user_errors import DEBUG
from lightning_app.cli.shipped_configs import shipped_configs

NO_FILE = re.compile(r"""Parser key "config": (?P<what>.*): '(?P<file>.*)'""")
NO_VALUE = re.compile("argument (?P<option>--[^:]+): expected one argument")
PLAIN = re.compile(r"\b(int|float|bool|str)\b|'")  # types that are written as values, not classes
DOTTED = re.compile(r"\w+(\.\w+)+")
MAX_LINES = 5  # of a message that is shown as it is
MAX_WIDTH = 240  # of a line: three of a terminal


@dataclass(frozen=True)
class Case:
    """A complaint with what is needed to explain it.

    Args:
        complaint: The deepest one of the message.
        match: Match of its pattern.
        arguments: The command line.
        parser: The parser of the subcommand.
    """

    complaint: parser_messages.Complaint
    match: re.Match[str]
    arguments: Sequence[str]
    parser: ArgumentParser

    def place(self, value: str) -> str:
        """Where the setting with this value is, as the beginning of a sentence."""
        return _begin(locate(self.complaint.keys, value, self.arguments))


def explain_parse_error(message: str, arguments: Sequence[str], parser: ArgumentParser) -> str:
    """Explain in a few lines what is wrong, where, and what is possible.

    Args:
        message: The error message of jsonargparse.
        arguments: The command line, which names the configuration files.
        parser: The parser of the subcommand, which knows the keys.
    """
    if match := NO_FILE.match(message):
        names = suggest_names(Path(match["file"]).stem, [*yaml_files(), *shipped_configs()])
        return f"--config: {match['what']}: {match['file']}.{names}"
    if match := NO_VALUE.match(message):
        return f"command line: `{_without_value(match['option'], arguments)}` needs a value."
    if message.startswith(("Problems parsing config", "Unexpected config")):
        return unreadable_file(arguments) or _shortened(message)
    if complaint := parser_messages.deepest_complaint(message):
        for pattern, explanation in EXPLANATIONS.items():
            if match := pattern.search(complaint.text):
                return explanation(Case(complaint, match, arguments, parser))
    return f"{_shortened(message)}\n(set {DEBUG}=1 for the full message)"


def _without_value(option: str, arguments: Sequence[str]) -> str:
    """The option without a value, of which jsonargparse names only the class above it."""
    for argument, following in zip(arguments, [*arguments, "--"][1:], strict=True):
        below = argument == option or argument.startswith(f"{option}.")
        if below and "=" not in argument and following.startswith("--"):
            return argument
    return option


def _group(group: str, names: Sequence[str]) -> str:
    listed = ", ".join(f"--{name}" for name in names)
    hint = " To draw no pictures: --pictures false." if group == "pictures" else ""
    return _shortened(f"`{group}` is a group of settings: {listed}.") + hint


def _unknown_option(case: Case) -> str:
    group, option = case.match["group"], case.match["option"]
    return _unknown_key(case, f"{group}.{option}" if group else option)


def _unrecognized(case: Case) -> str:
    argument = case.match["argument"]
    if argument.startswith("--"):
        return _unknown_key(case, argument[2:].partition("=")[0])
    return (
        f"command line: {argument!r} is not an option; configurations are given with "
        "--config FILE.yaml."
    )


def _unknown_key(case: Case, option: str) -> str:
    complaint = case.complaint
    parser = parser_of(complaint.classes, case.parser)
    if names := options_below(option, parser):
        return _group(option, names)
    groups, name, possible = first_unknown(option, parser)
    above = (*complaint.keys, *groups)
    setting = locate((*above, name), "", case.arguments)
    if name == "class_path" or (setting and setting.beside_class):
        return _beside_class(case)
    kind = f" ({complaint.class_name})" if complaint.classes else ""
    what = f"`{'.'.join(above)}`{kind} has no" if above else "there is no"
    return f"{_begin(setting)}{what} key {name!r}.{suggest_names(name, possible)}"


def _beside_class(case: Case) -> str:
    for setting in all_settings(case.arguments):
        if setting.beside_class:
            return (
                f"{setting.place}: {setting.keys[-1]!r} is beside `class_path`, where only "
                "`init_args` is possible.\n  Put the arguments of a class below `init_args`."
            )
    return _shortened(f"`{case.complaint.key}`: {case.complaint.text}")


def _unknown_class(case: Case) -> str:
    complaint = case.complaint
    if PLAIN.search(complaint.expected):
        return _wrong_value(case)
    named = case.match.groupdict().get("name")
    if not named and DOTTED.fullmatch(complaint.got):  # else the class is the innermost one
        named = complaint.got
    name = named or complaint.classes[-1]
    level = parser_of(complaint.classes if named else complaint.classes[:-1], case.parser)
    bases = bases_of(complaint.key, level) or bases_of(complaint.keys[-1], level)
    what = " or ".join(dict.fromkeys(base.__name__ for base in bases))
    expected = f"a subclass of {what}" if what else "a class"
    possible = {known for base in bases for known in subclass_names(base)}
    hint = suggest_names(name.rsplit(".", 1)[-1], possible)
    return f"{case.place(name)}`{complaint.key}` expects {expected}, got {name!r}.{hint}"


def _missing(case: Case) -> str:
    names, complaint = case.match["names"].split(", "), case.complaint
    missing = " and ".join(f"`{name.rpartition('.')[2]}`" for name in names)
    if not complaint.keys:
        command, _, _ = names[0].rpartition(".")
        files = suggest_names("", yaml_files())
        data = ", or images: `lightning_cli fit PATH`" if command == "fit" else ""
        return f"`lightning_cli {command}` needs {missing}, from --config FILE.yaml{data}.{files}"
    place = case.place(complaint.class_name)
    return f"{place}`{complaint.key}` ({complaint.class_name}) needs {missing}, which is missing."


def _wrong_value(case: Case) -> str:
    complaint = case.complaint
    expected, got = _shortened(complaint.expected), _shortened(complaint.got)
    return f"{case.place(complaint.got)}`{complaint.key}` expects {expected}, got {got!r}."


def _refused_value(case: Case) -> str:
    """Explain a constructor's message, which names the argument but not the keys above it."""
    key, got = case.complaint.parent.split(".")[0], case.match["got"]
    setting = locate((key,), got.strip("'"), case.arguments)
    path = ".".join(setting.keys) if setting else key
    return f"{_begin(setting)}`{path}`: {case.match['what']}, got {got}."


def _begin(setting: Setting | None) -> str:
    return f"{setting.place}: " if setting else ""


def _shortened(message: str) -> str:
    lines = [line for line in message.splitlines() if line.strip()][:MAX_LINES]
    return "\n  ".join(textwrap.shorten(line, MAX_WIDTH, placeholder=" …") for line in lines)


EXPLANATIONS: dict[re.Pattern[str], Callable[[Case], str]] = {
    parser_messages.UNKNOWN_OPTION: _unknown_option,
    parser_messages.UNRECOGNIZED: _unrecognized,
    parser_messages.UNKNOWN_CLASS: _unknown_class,
    parser_messages.NOT_IMPORTED: _unknown_class,
    parser_messages.REQUIRED: _missing,
    parser_messages.NOT_A_CLASS: _beside_class,
    parser_messages.PYDANTIC: _refused_value,
    parser_messages.WRONG_TYPE: _wrong_value,
}
