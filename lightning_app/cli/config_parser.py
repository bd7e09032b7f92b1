"""A parser for commands that take the configuration of a fit, and use a part of it."""

from importlib import import_module
from typing import Any

import yaml
from jsonargparse import Namespace
from lightning.pytorch.cli import LightningArgumentParser

import datamodules
import models
from datamodules import ImageDataModule
from lightning_app.cli.errors.parse_errors import BriefParser
from lightning_app.cli.errors.setting_places import config_files


def import_datamodules() -> None:
    """Let YAML name datamodules by their bare class names."""
    for module in datamodules.HOMES.values():
        import_module(f"datamodules.{module}")


def import_models() -> None:
    """Let YAML name backbones, heads, losses and schedules by their bare class names."""
    for module in models.HOMES.values():
        import_module(f"models.{module}")


def link_data_to_model(parser: LightningArgumentParser) -> None:
    """Hand what the data know to the model that needs it, so that it is never written twice."""
    backbone = "backbone.init_args."  # a network that has no such setting is left alone
    for name in ("num_classes", f"{backbone}num_channels", f"{backbone}image_size"):
        source = f"data.{name.rsplit('.', 1)[-1]}"
        parser.link_arguments(source, f"model.init_args.{name}", apply_on="instantiate")


def fit_parser(prog: str, description: str) -> BriefParser:
    """A parser that reads a configuration and builds its `data`."""
    import_datamodules()
    parser = BriefParser(prog=prog, description=description)
    parser.add_argument("-c", "--config", action="config", help="A configuration as `fit` has it.")
    parser.add_lightning_class_args(ImageDataModule, "data", subclass_mode=True, required=False)
    return parser


def parse_fit(parser: BriefParser, args: list[str]) -> Namespace:
    """Read a command line, and build nothing yet; what else `fit` is told there is not used."""
    own = {action.dest.split(".")[0] for action in parser._actions}
    for key in sorted(_keys(args) - own):
        parser.add_argument(f"--{key}", type=_unused, help="Not used.")
    return parser.parse_args(args)


def _unused(value: Any) -> None:
    """Of a type of its own: what is named in it must not be built."""


def _keys(args: list[str]) -> set[str]:
    """The keys at the top of the configuration files, as far as those can be read."""
    keys: set[str] = set()
    for file in config_files(args):
        try:
            content = yaml.safe_load(file.read_text())
        except yaml.YAMLError:  # the parser will say what is wrong with it
            continue
        keys |= set(content) if isinstance(content, dict) else set()
    return keys
