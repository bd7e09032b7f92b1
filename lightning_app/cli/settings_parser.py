"""Settings parser: short error messages, and configurations of earlier versions."""

import os
import re
import sys
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, Namespace

from datamodules.redaction import redact_text
from datamodules.yaml_file import read_yaml_text
from lightning_app.cli import allowed_classes, class_path_changes
from lightning_app.cli.class_names import (
    check_class_names,
    with_arguments_as_text,
    with_class_names_as_text,
)
from lightning_app.cli.errors.parse_errors import explain_parse_error
from lightning_app.cli.errors.parser_messages import PYDANTIC, UNKNOWN_CLASS
from lightning_app.cli.errors.setting_places import config_files
from lightning_app.cli.errors.user_errors import DEBUG
from lightning_app.cli.pictures_off import with_pictures_off
from lightning_app.store.moved_classes import with_current_class_paths

allowed_classes.install()
class_path_changes.install()

WRAPPER = re.compile("Does not validate against|Problem with given|Type .* expects a function")


class SettingsParser(ArgumentParser):
    """Parser that explains errors in a few lines and reads configurations of earlier versions.

    Keys have to be spelled out: with abbreviations, a typo could silently set something else. It
    does without torch and Lightning, so that the help of a command comes at once.

    Args:
        arguments: Positional arguments of jsonargparse's parser.
        allow_abbrev: Whether to accept abbreviations.
        options: Its other options.
    """

    def __init__(self, *arguments: Any, allow_abbrev: bool = False, **options: Any) -> None:
        super().__init__(*arguments, allow_abbrev=allow_abbrev, **options)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Print an explanation and exit with status 2; nested parsers raise instead."""
        if not self.exit_on_error or os.environ.get(DEBUG):
            super().error(message, ex)
        parser = getattr(ex, "subcommand_parser", None) or self._of_command()
        explanation = explain_parse_error(message, getattr(self, "args", None) or (), parser)
        self.exit(2, f"error: {redact_text(explanation)}\n")

    def parse_args(self, args: Any = None, *arguments: Any, **kwargs: Any) -> Namespace:
        """Parse a command line; `null` unsets a setting, also one inside another."""
        # jsonargparse passes `--data.split.val_last_n null` on to the parser of the class of `data`
        # as `--split.val_last_n=None`.
        if not self.exit_on_error and args and str(args[0]).endswith("=None"):
            args = [f"{args[0].removesuffix('None')}null"]
        if self.exit_on_error:
            self._check_files(args)
            args = self._with_names(args)
        return super().parse_args(args, *arguments, **kwargs)

    def _of_command(self) -> Any:
        """The parser of the command, which with `--print_config` is not in the error; or this."""
        action = self._subcommands_action
        return next(iter(action.choices.values())) if action and action.choices else self

    def _check_files(self, args: Any) -> None:
        """Refuse configurations on which jsonargparse would fail in its own words, or hang."""
        try:
            for file in config_files(args or sys.argv[1:]):
                check_class_names(read_yaml_text(file), str(file))
        except ValueError as error:
            self.exit(2, f"error: {error}\n")

    def _with_names(self, args: Any) -> Any:
        """The command line with the names of classes as text."""
        try:
            return with_arguments_as_text(sys.argv[1:] if args is None else args)
        except ValueError as error:
            self.exit(2, f"error: {error}\n")

    def parse_string(self, content: str, *args: Any, **kwargs: Any) -> Namespace:
        """Parse a configuration, with former class paths, `pictures: false` and names as text."""
        content = with_class_names_as_text(with_pictures_off(with_current_class_paths(content)))
        return super().parse_string(content, *args, **kwargs)

    def instantiate_classes(self, *args: Any, **kwargs: Any) -> Any:
        """Build the objects; the error of a constructor is raised without jsonargparse's wrapper.

        Raises:
            ValueError: If a constructor refuses a value.
        """
        try:
            return super().instantiate_classes(*args, **kwargs)
        except ValueError as error:
            if PYDANTIC.search(str(error)):
                self.error(str(error), error)
            cause: BaseException = error
            while WRAPPER.match(str(cause)) and cause.__cause__:
                cause = cause.__cause__
            if UNKNOWN_CLASS.match(str(cause)):  # only the first member of a union that was tried
                raise
            raise cause from None
