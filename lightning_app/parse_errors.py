"""A setting that does not parse ends with a few lines: which key, where, and what is possible."""

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml
from jsonargparse import ArgumentParser
from lightning.pytorch.cli import LightningArgumentParser

from lightning_app import parse_report as report
from lightning_app.possible_names import bases_of, class_names, first_unknown, hint, parser_of
from lightning_app.setting_places import all_settings, config_files, locate

NO_FILE = re.compile(r"""Parser key "config": (?P<what>.*): '(?P<file>.*)'""")
PLAIN = re.compile(r"\b(int|float|bool|str)\b|'")  # types that are written as values, not classes
MAX_LINES = 5  # of a message that is shown as it is
MAX_WIDTH = 160


class BriefParser(LightningArgumentParser):
    """A parser that explains a mistake in a few lines, instead of with all options and types."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Print the explanation and exit with status 2; the parser of a class only reports."""
        if not self.exit_on_error:
            super().error(message, ex)
        parser = getattr(ex, "subcommand_parser", None) or self
        self.exit(2, f"error: {explain(message, getattr(self, 'args', None) or (), parser)}\n")

    def instantiate_classes(self, *args: Any, **kwargs: Any) -> Any:
        """Build the objects; a constructor's error is not wrapped in a report about types."""
        try:
            return super().instantiate_classes(*args, **kwargs)
        except ValueError as error:
            if report.PYDANTIC.search(str(error)):
                self.error(str(error), error)
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            raise cause from None


@dataclass(frozen=True)
class Case:
    """A complaint with what is needed to explain it.

    Args:
        complaint: The deepest one of the report.
        match: What its pattern found.
        arguments: The command line.
        parser: The parser of the subcommand.
    """

    complaint: report.Complaint
    match: re.Match[str]
    arguments: Sequence[str]
    parser: ArgumentParser

    @property
    def key(self) -> str:
        """The key that the complaint is about."""
        return ".".join(self.complaint.keys)

    def place(self, *keys: str, value: str = "") -> str:
        """Where the user wrote the setting under this key, to begin a message with."""
        setting = locate((*self.complaint.keys, *keys), value, self.arguments)
        return f"{setting.place}: " if setting else ""


def explain(message: str, arguments: Sequence[str], parser: ArgumentParser) -> str:
    """Say in a few lines what is wrong, where, and what is possible.

    Args:
        message: What jsonargparse says.
        arguments: The command line; it names the configuration files.
        parser: The parser of the subcommand, which knows the keys.
    """
    if match := NO_FILE.match(message):
        return f"--config: {match['what']}: {match['file']}.{_yaml_files(Path(match['file']).name)}"
    if message.startswith(("Problems parsing config", "Unexpected config")):
        return _syntax(message, arguments)
    if complaint := report.read_report(message):
        for pattern, explanation in EXPLANATIONS.items():
            if match := pattern.search(complaint.text):
                return explanation(Case(complaint, match, arguments, parser))
    return _shortened(message)


def _yaml_files(near: str = "") -> str:
    return hint(near, [str(file) for file in (*Path().glob("*.yaml"), *Path().glob("*/*.yaml"))])


def _syntax(message: str, arguments: Sequence[str]) -> str:
    for file in config_files(arguments):
        try:
            content = yaml.safe_load(file.read_text())
        except yaml.MarkedYAMLError as error:
            line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
            context = f" {error.context}" if error.context else ""
            return f"{file}{line}: this is no YAML: {error.problem}{context}."
        if not isinstance(content, dict):
            got = "nothing" if content is None else f"a {type(content).__name__}"
            return f"{file}: expected keys with values (`data: ...`, `model: ...`), got {got}."
    return _shortened(message)


def _unknown_option(case: Case) -> str:
    prefix = f"{case.match['group']}." if case.match.groupdict().get("group") else ""
    return _unknown_key(case, prefix + case.match["option"])


def _unrecognized(case: Case) -> str:
    argument = case.match["argument"]
    if argument.startswith("--"):
        return _unknown_key(case, argument[2:].partition("=")[0])
    return (
        f"command line: {argument!r} follows no option; a file of settings is --config FILE.yaml."
    )


def _unknown_key(case: Case, option: str) -> str:
    complaint = case.complaint
    level = parser_of(complaint.classes, case.parser)
    groups, name, possible = first_unknown(option, level)
    keys = (*complaint.keys, *groups, name)
    setting = locate(keys, "", case.arguments)
    if name == "class_path" or (setting and setting.beside_class):
        return _beside_class(case)
    place = f"{setting.place}: " if setting else ""
    owner = f"`{'.'.join(keys[:-1])}` has no" if keys[:-1] else "there is no"
    kind = f" ({complaint.classes[-1].rsplit('.', 1)[-1]})" if complaint.classes else ""
    return f"{place}{owner.replace(' has', f'{kind} has')} key {name!r}.{hint(name, possible)}"


def _beside_class(case: Case) -> str:
    for setting in all_settings(case.arguments):
        if setting.beside_class:
            return (
                f"{setting.place}: {setting.keys[-1]!r} stands beside `class_path`; there, only "
                "`init_args` is possible.\n  Arguments of the class go below `init_args`."
            )
    return _shortened(f"{case.key}: {case.complaint.text}")


def _unknown_class(case: Case) -> str:
    complaint = case.complaint
    if PLAIN.search(complaint.expected):
        return _wrong_value(case)
    named = case.match.groupdict().get("name")
    name = named or complaint.classes[-1]
    level = parser_of(complaint.classes if named else complaint.classes[:-1], case.parser)
    bases = bases_of(case.key, level) or bases_of(complaint.keys[-1], level)
    kinds = " or ".join(base.__name__ for base in bases) or "class"
    possible = {found for base in bases for found in class_names(base)}
    return (
        f"{case.place(value=name)}`{case.key}` expects the name of a {kinds}, got {name!r}."
        f"{hint(name.rsplit('.', 1)[-1], possible)}"
    )


def _missing(case: Case) -> str:
    names = case.match["names"].split(", ")
    if not case.complaint.keys:
        command, _, _ = names[0].rpartition(".")
        wanted = " and ".join(f"`{name.rpartition('.')[2]}`" for name in names)
        what = f"`lightning_cli {command}` needs {wanted}; --config FILE.yaml gives them."
        return what + _yaml_files()
    owner = case.complaint.classes[-1]
    what = f"`{case.key}` ({owner.rsplit('.', 1)[-1]}) needs {', '.join(names)}."
    return f"{case.place(value=owner)}{what}"


def _wrong_value(case: Case) -> str:
    complaint = case.complaint
    return (
        f"{case.place(value=complaint.got)}`{case.key}` expects "
        f"{_shortened(complaint.expected)}, got {_shortened(complaint.got)!r}."
    )


def _refused_value(case: Case) -> str:
    key, got = case.complaint.parent, case.match["got"]
    setting = locate((key,), got.strip("'"), case.arguments)
    place = f"{setting.place}: " if setting else ""
    return (
        f"{place}`{'.'.join(setting.keys) if setting else key}`: {case.match['what']}, got {got}."
    )


def _shortened(message: str) -> str:
    lines = [line for line in message.splitlines() if line.strip()][:MAX_LINES]
    return "\n".join(textwrap.shorten(line, MAX_WIDTH, placeholder=" ...") for line in lines)


EXPLANATIONS: dict[re.Pattern[str], Callable[[Case], str]] = {
    report.OPTION: _unknown_option,
    report.UNRECOGNIZED: _unrecognized,
    report.CLASS: _unknown_class,
    report.IMPORT: _unknown_class,
    report.REQUIRED: _missing,
    report.BESIDE: _beside_class,
    report.PYDANTIC: _refused_value,
    report.VALUE: _wrong_value,
}
