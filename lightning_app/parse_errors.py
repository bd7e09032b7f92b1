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
from lightning_app.parse_report import Complaint
from lightning_app.possible_names import bases_of, class_names, first_unknown, hint, parser_of
from lightning_app.setting_places import COMMAND_LINE, Setting, all_settings, config_files, locate

NO_FILE = re.compile(r'Parser key "config": (?P<what>.*): \'(?P<file>.*)\'')
PLAIN = re.compile(r"\b(int|float|bool|str)\b|'")  # types that are written as a value, not a class
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
    """A mistake with what is needed to explain it.

    Args:
        match: What the complaint's pattern found.
        complaint: The deepest complaint of the report.
        arguments: The command line.
        parser: The parser of the subcommand.
    """

    match: re.Match[str]
    complaint: Complaint
    arguments: Sequence[str]
    parser: ArgumentParser

    def at(self, *keys: str, value: str = "") -> Setting | None:
        """The setting with this path under the complaint's."""
        return locate((*self.complaint.keys, *keys), value, self.arguments)


def explain(message: str, arguments: Sequence[str], parser: ArgumentParser) -> str:
    """Say in a few lines what is wrong, where, and what is possible.

    Args:
        message: What jsonargparse says.
        arguments: The command line; it names the configuration files.
        parser: The parser of the subcommand, which knows the keys.
    """
    if message.startswith(("Problems parsing config", "Unexpected config")):
        return _syntax(message, arguments)
    if match := NO_FILE.match(message):
        files = {path.name: str(path) for path in (*Path().glob("*.yaml"), *Path("configs").glob("*.yaml"))}
        return f"{match['what']}: {match['file']}{hint(...)}"
    complaint = report.read_report(message)
    for pattern, explanation in EXPLANATIONS.items():
        if complaint and (match := pattern.search(complaint.text)):
            return explanation(Case(match, complaint, arguments, parser))
    return _shortened(message)
