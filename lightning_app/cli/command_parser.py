"""Command parser: the settings parser for commands that take classes of Lightning."""

from lightning.pytorch.cli import LightningArgumentParser

from lightning_app.cli.settings_parser import SettingsParser


class CommandParser(SettingsParser, LightningArgumentParser):
    """A `SettingsParser` with Lightning's methods, such as `add_lightning_class_args`."""
