"""Expansion of a short command line: `fit PATH` becomes `fit --config=… --config=…`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import yaml
from lightning.pytorch.utilities import rank_zero_info

import datamodules
from datamodules import ImageDataModule
from lightning_app.cli.config_parser import make_config_parser, parse_config
from lightning_app.cli.one_line.complete import complete
from lightning_app.cli.one_line.layouts import layout_of, name_of
from lightning_app.cli.one_line.options import (
    about_data,
    after_configs,
    has,
    has_config,
    inline,
    take,
    take_path,
    take_root,
    value_of,
)
from lightning_app.cli.one_line.recipes import backbone_of, choose_recipe
from lightning_app.cli.one_line.recorded_config import needs_checkpoint, recorded_config
from lightning_app.cli.one_line.settings import check_options
from lightning_app.cli.one_line.survey import survey
from lightning_app.cli.pictures_off import OFF as PICTURES_OFF
from lightning_app.cli.pictures_off import is_off
from lightning_app.cli.shipped_configs import with_shipped_configs


class Expansion(NamedTuple):
    """An expanded command line, and the run whose recorded configuration is in it; "" for none."""

    arguments: list[str]
    recorded_by: str = ""


def expand(arguments: Sequence[str]) -> Expansion:
    """The command line with everything that a short one leaves out.

    A path after the command, or `--data.root PATH` without a configuration, becomes the section
    `data`. For a fit, a recipe and settings that suit the data come before everything that the user
    has set: the recipe of `--recipe`, or without a configuration one that is chosen. The other
    commands take the configuration that the run of the checkpoint has recorded.

    Args:
        arguments: The command and its options.

    Raises:
        ValueError: If there is no such dataset, recipe, checkpoint or logger, or no such time.
        SystemExit: With 2 if a setting of the data does not parse.
    """
    command, *options = with_shipped_configs(arguments)
    options = _without_pictures(options)
    path, configured = take_path(options), has_config(options)
    if command != "fit":
        recorded, run = _recorded(command, options, configured)
        if command == "predict" and path is not None and not configured:
            options, path = [*options, f"--data.predict={path}"], None
        user = after_configs(options, _layout(path))
        return Expansion([command, *recorded, *user], run)
    loggers = yaml.safe_load(value_of("--loggers", options) or "[]")
    check_options(value_of("--time", options), loggers)
    wanted = take("--recipe", options)
    if path is None:
        path = take_root(options)
    user = after_configs(options, _layout(path))
    if wanted is None and (configured or path is None):
        return Expansion([command, *user])
    return Expansion([command, inline(_chosen(wanted, user, path)), *user])


def _without_pictures(options: list[str]) -> list[str]:
    """`--pictures false`: the parser knows only the options of single pictures."""
    others = [*options]
    return [*others, PICTURES_OFF] if is_off(take("--pictures", others)) else options


def _layout(path: str | None) -> list[str]:
    return [] if path is None else [inline({"data": layout_of(path)})]


def _recorded(command: str, options: list[str], configured: bool) -> Expansion:
    """The configuration of the run that is evaluated, unless there is another."""
    ckpt_path = value_of("--ckpt_path", options)
    if configured or has("--help", options) or has("-h", options):
        return Expansion([])
    if ckpt_path is None:
        raise needs_checkpoint(command)
    config, run = recorded_config(ckpt_path)
    return Expansion([inline(config)] if config else [], run)


def _chosen(wanted: str | None, options: list[str], path: str | None) -> dict[str, Any]:
    """The recipe with settings that suit the data; each choice is printed."""
    parser = make_config_parser("lightning_cli fit", "")
    data = parser.instantiate_classes(parse_config(parser, about_data(options))).data
    if data is None:
        raise ValueError("--recipe needs a dataset: lightning_cli fit PATH --recipe NAME.")
    found = survey(data)
    _say("Data", f"{path or data.place or type(data).__name__}: {found}")
    recipe = choose_recipe(wanted, options)
    _say("Recipe", f"{recipe.name}: {recipe.reason}")
    config = yaml.safe_load(recipe.file.read_text())
    if backbone_of(recipe.name, options).kind != backbone_of(recipe.name, []).kind:
        del config["model"]["init_args"]["backbone"]  # the user has another
    config.setdefault("data", {})["class_path"] = _class_path(data)
    _merge(config, complete(found, recipe, options, _say))
    if path is not None:
        _merge(config, {"trainer": {"logger": {"init_args": {"experiment_name": name_of(path)}}}})
    return config | {"recipe": recipe.name}


def _class_path(data: ImageDataModule) -> str:
    name = type(data).__name__
    return f"{'datamodules' if name in datamodules.HOMES else type(data).__module__}.{name}"


def _merge(config: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            _merge(config[key], value)
        else:
            config[key] = value


def _say(topic: str, text: str) -> None:
    rank_zero_info(f"{topic:<12}{text}")
