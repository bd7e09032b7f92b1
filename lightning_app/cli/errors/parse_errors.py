"""A setting that does not parse ends with a few lines: which key, where, and what is possible."""

import os
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import ArgumentParser
from lightning.pytorch.cli import LightningArgumentParser

from lightning_app.cli.errors import parse_report as report
from lightning_app.cli.errors.possible_names import (
    bases_of,
    class_names,
    first_unknown,
    hint,
    parser_of,
)
from lightning_app.cli.errors.setting_places import Setting, all_settings, locate, unreadable_file
from lightning_app.cli.errors.user_errors import DEBUG

NO_FILE = re.compile(r"""Parser key "config": (?P<what>.*): '(?P<file>.*)'""")
REPORT = re.compile("Does not validate against|Problem with given|Type .* expects a function")
GROUP = re.compile(r"ambiguous option: --(?P<group>[\w.]+)\S* could match (?P<names>.+)")
PLAIN = re.compile(r"\b(int|float|bool|str)\b|'")  # types that are written as values, not classes
MAX_LINES = 5  # of a message that is shown as it is
MAX_WIDTH = 240  # of a line: three of a terminal


class BriefParser(LightningArgumentParser):
    """A parser that explains a mistake in a few lines, instead of with all options and types."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Print the explanation and exit with status 2; the parser of a class only reports."""
        if not self.exit_on_error or os.environ.get(DEBUG):
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
            while REPORT.match(str(cause)) and cause.__cause__:
                cause = cause.__cause__
            if report.CLASS.match(str(cause)):  # of a type that was only tried
                raise
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


def explain(message: str, arguments: Sequence[str], parser: ArgumentParser) -> str:
    """Say in a few lines what is wrong, where, and what is possible.

    Args:
        message: What jsonargparse says.
        arguments: The command line; it names the configuration files.
        parser: The parser of the subcommand, which knows the keys.
    """
    if match := NO_FILE.match(message):
        near = Path(match["file"]).stem
        return f"--config: {match['what']}: {match['file']}.{_yaml_files(near)}"
    if message.startswith(("Problems parsing config", "Unexpected config")):
        return unreadable_file(arguments) or _shortened(message)
    if match := GROUP.match(message):
        names = dict.fromkeys(name.removesuffix(".help") for name in match["names"].split(", "))
        off = " For no picture: --pictures.budget 0." if match["group"] == "pictures" else ""
        return _shortened(f"`{match['group']}` is a group of settings: {', '.join(names)}.") + off
    if complaint := report.read_report(message):
        for pattern, explanation in EXPLANATIONS.items():
            if match := pattern.search(complaint.text):
                return explanation(Case(complaint, match, arguments, parser))
    return f"{_shortened(message)}\n(the whole report: {DEBUG}=1)"


def _unknown_option(case: Case) -> str:
    group = case.match["group"]
    return _unknown_key(case, f"{group}.{case.match['option']}" if group else case.match["option"])


def _unrecognized(case: Case) -> str:
    argument = case.match["argument"]
    if argument.startswith("--"):
        return _unknown_key(case, argument[2:].partition("=")[0])
    return (
        f"command line: {argument!r} follows no option; settings are given by --config FILE.yaml."
    )


def _unknown_key(case: Case, option: str) -> str:
    complaint = case.complaint
    groups, name, possible = first_unknown(option, parser_of(complaint.classes, case.parser))
    above = (*complaint.keys, *groups)
    setting = locate((*above, name), "", case.arguments)
    if name == "class_path" or (setting and setting.beside_class):
        return _beside_class(case)
    kind = f" ({complaint.class_name})" if complaint.classes else ""
    what = f"`{'.'.join(above)}`{kind} has no" if above else "there is no"
    return f"{_place(setting)}{what} key {name!r}.{hint(name, possible)}"


def _beside_class(case: Case) -> str:
    for setting in all_settings(case.arguments):
        if setting.beside_class:
            return (
                f"{setting.place}: {setting.keys[-1]!r} stands beside `class_path`; there, only "
                "`init_args` is possible.\n  Arguments of the class go below `init_args`."
            )
    return _shortened(f"`{case.complaint.key}`: {case.complaint.text}")


def _unknown_class(case: Case) -> str:
    complaint = case.complaint
    if PLAIN.search(complaint.expected):
        return _wrong_value(case)
    named = case.match.groupdict().get("name")
    name = named or complaint.classes[-1]
    level = parser_of(complaint.classes if named else complaint.classes[:-1], case.parser)
    bases = bases_of(complaint.key, level) or bases_of(complaint.keys[-1], level)
    kinds = " or ".join(dict.fromkeys(base.__name__ for base in bases)) or "class"
    possible = hint(name.rsplit(".", 1)[-1], {n for base in bases for n in class_names(base)})
    place = _place(locate(complaint.keys, name, case.arguments))
    return f"{place}`{complaint.key}` expects a kind of {kinds}, got {name!r}.{possible}"


def _missing(case: Case) -> str:
    names, complaint = case.match["names"].split(", "), case.complaint
    missing = " and ".join(f"`{name.rpartition('.')[2]}`" for name in names)
    if not complaint.keys:
        command, _, _ = names[0].rpartition(".")
        return f"`lightning_cli {command}` needs {missing}, from --config FILE.yaml.{_yaml_files()}"
    place = _place(locate(complaint.keys, complaint.class_name, case.arguments))
    return f"{place}`{complaint.key}` ({complaint.class_name}) needs {missing}, which is missing."


def _wrong_value(case: Case) -> str:
    complaint = case.complaint
    place = _place(locate(complaint.keys, complaint.got, case.arguments))
    expected, got = _shortened(complaint.expected), _shortened(complaint.got)
    return f"{place}`{complaint.key}` expects {expected}, got {got!r}."


def _refused_value(case: Case) -> str:
    """Of a constructor: its message does not say which of the settings with this name it is."""
    key, got = case.complaint.parent.split(".")[0], case.match["got"]
    setting = locate((key,), got.strip("'"), case.arguments)
    path = ".".join(setting.keys) if setting else key
    return f"{_place(setting)}`{path}`: {case.match['what']}, got {got}."


def _place(setting: Setting | None) -> str:
    return f"{setting.place}: " if setting else ""


def _yaml_files(near: str = "") -> str:
    return hint(near, [str(file) for file in (*Path().glob("*.yaml"), *Path().glob("*/*.yaml"))])


def _shortened(message: str) -> str:
    lines = [line for line in message.splitlines() if line.strip()][:MAX_LINES]
    return "\n  ".join(textwrap.shorten(line, MAX_WIDTH, placeholder=" ...") for line in lines)


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
