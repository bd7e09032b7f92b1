"""Parser of commands that take the configuration of a fit, but use only a part of it."""

from importlib import import_module
from typing import Any

import yaml
from jsonargparse import Namespace
from lightning.pytorch.cli import LightningArgumentParser

import callbacks
import datamodules
import models
from datamodules import ImageDataModule
from datamodules.yaml_file import read_yaml_text
from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.errors.setting_places import config_files
from lightning_app.cli.shipped_configs import with_shipped_configs


def import_datamodules() -> None:
    """Import all datamodules, so that YAML can name them by their bare class names."""
    for module in datamodules.HOMES.values():
        import_module(f"datamodules.{module}")


def import_models() -> None:
    """Let YAML name backbones, heads, losses and schedules by their bare class names."""
    for module in models.HOMES.values():
        import_module(f"models.{module}")


def import_callbacks() -> None:
    """Let YAML name callbacks by their bare class names."""
    for module in callbacks.HOMES.values():
        import_module(f"callbacks.{module}")


def link_data_to_model(parser: LightningArgumentParser) -> None:
    """Pass the number of classes and channels, and the image size, from the data to the model."""
    backbone = "backbone.init_args."  # links to settings that a backbone lacks are ignored
    for name in ("num_classes", f"{backbone}num_channels", f"{backbone}image_size"):
        source = f"data.{name.rsplit('.', 1)[-1]}"
        parser.link_arguments(source, f"model.init_args.{name}", apply_on="instantiate")


def make_config_parser(prog: str, description: str) -> CommandParser:
    """Create a parser that reads a configuration and builds its `data`."""
    import_datamodules()
    parser = CommandParser(prog=prog, description=description)
    parser.add_argument("-c", "--config", action="config", help="A configuration as for `fit`.")
    parser.add_lightning_class_args(ImageDataModule, "data", subclass_mode=True, required=False)
    return parser


def parse_config(parser: CommandParser, args: list[str]) -> Namespace:
    """Parse a command line without building anything; other settings of `fit` are ignored."""
    args = with_shipped_configs(args)
    own = {action.dest.split(".")[0] for action in parser._actions}
    for key in sorted(_top_level_keys(args) - own):
        parser.add_argument(f"--{key}", type=_ignored, help="Not used.")
    return parser.parse_args(args)


def _ignored(value: Any) -> None:
    """Type of ignored settings: with one of its own, classes that they name are not built."""


def _top_level_keys(args: list[str]) -> set[str]:
    keys: set[str] = set()
    for file in config_files(args):
        try:
            content = yaml.safe_load(read_yaml_text(file))
        except yaml.YAMLError:  # the parser reports it
            continue
        keys |= set(content) if isinstance(content, dict) else set()
    return keys
