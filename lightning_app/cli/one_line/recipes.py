"""Recipes: configurations of this package for what a dataset does not decide."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import yaml

import lightning_app
from lightning_app.cli.errors.setting_places import all_settings
from lightning_app.cli.one_line.weight_origin import Backbone, origin_of_weights

Recipe = Literal["probe", "transfer", "scratch", "better"]
NAMES = get_args(Recipe)
FOLDER = Path(lightning_app.__file__).parent / "recipes"
CHOSEN = "LIGHTNING_CLI_RECIPE"  # tells the other processes of this fit what the first one chose


@dataclass(frozen=True)
class Choice:
    """A recipe, and why it was chosen.

    Attributes:
        name: Name of the recipe.
        reason: A phrase for the user.
    """

    name: str
    reason: str

    @property
    def file(self) -> Path:
        """The configuration."""
        return FOLDER / f"{self.name}.yaml"


def choose_recipe(wanted: str | None, arguments: list[str]) -> Choice:
    """The recipe that a user wants, or else the one that suits what is at hand.

    Args:
        wanted: Its name; None to choose.
        arguments: The command line, which may name another backbone or a file of weights.

    Raises:
        ValueError: If there is no such recipe.
    """
    if wanted is not None:
        if wanted not in NAMES:
            raise ValueError(f"There is no recipe {wanted!r}; expected {', '.join(NAMES)}.")
        return Choice(wanted, "as asked")
    backbone = backbone_of("transfer", arguments)
    if os.environ.get("LOCAL_RANK", "0") != "0" and (name := os.environ.get(CHOSEN)):
        return Choice(name, "as the first process chose")
    origin, problem = origin_of_weights(backbone)
    if origin:
        others = ", ".join(f"--recipe {name}" for name in NAMES if name != "transfer")
        choice = Choice("transfer", f"weights of {backbone.name} from {origin}. Others: {others}")
    else:
        choice = Choice(
            "scratch",
            f"{problem}. With a file: --recipe transfer --model.backbone.weights FILE",
        )
    os.environ[CHOSEN] = choice.name
    return choice


def backbone_of(recipe: str, arguments: list[str]) -> Backbone:
    """The backbone of a recipe, or the one that the command line has instead."""
    content = yaml.safe_load((FOLDER / f"{recipe}.yaml").read_text())
    backbone = content["model"]["init_args"]["backbone"]
    own = backbone["init_args"]

    def setting(*keys: str) -> str:
        path = ("model", "backbone", *keys)
        values = [found.value for found in all_settings(arguments) if found.keys == path]
        return next(filter(None, reversed(values)), "")

    return Backbone(
        (setting() or setting("class_path") or backbone["class_path"]).rsplit(".", 1)[-1],
        setting("name") or own["name"],
        setting("weights") or own.get("weights") or "",
    )
