"""Settings of a short command line, and the callbacks that replace them by numbers."""

import re
from collections.abc import Sequence
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.cli import LightningArgumentParser

from callbacks import AutoBatchSize, TimeLimit
from lightning_app.cli.more_loggers import HELP as LOGGERS
from lightning_app.cli.more_loggers import Kinds, check_loggers
from lightning_app.cli.one_line.recipes import Recipe

RECIPE = "Everything of a fit but the data; without a configuration, one is chosen."
TIME = "Time that a fit may take, pictures included, such as 20m or 1h30m: fewer epochs if need be."
UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
PART = r"(\d+(?:\.\d+)?)([dhms])"


def add_one_line_options(parser: LightningArgumentParser) -> None:
    """Add `--recipe`, which is replaced before parsing and shown in the run, and the others."""
    parser.add_argument("--recipe", type=Recipe | None, default=None, help=RECIPE)
    parser.add_argument("--time", type=str | None, default=None, help=TIME)
    parser.add_argument("--loggers", type=Kinds, default=[], help=LOGGERS)


def check_options(time: str | None, loggers: str | Sequence[str]) -> None:
    """Check options before the dataset is read and the network is built.

    Args:
        time: The value of `--time`; None without it.
        loggers: The value of `--loggers`: a name, or a list of names.

    Raises:
        ValueError: If the time is not a duration, there is no such logger, or it is not installed.
    """
    if time is not None:
        seconds_of(time)
    check_loggers(loggers)


def deciding_callbacks(settings: dict[str, Any], started: float) -> list[Callback]:
    """Callbacks that decide batch size and epochs before the first step of a fit.

    Args:
        settings: As `resolved_settings` gives them; they get the numbers, for config.yaml.
        started: When the command began, by `time.monotonic`.

    Raises:
        ValueError: If the time is not a duration.
    """

    def set_batch_size(size: int) -> None:
        settings["data"]["init_args"]["batch_size"] = size

    def set_epochs(epochs: int) -> None:
        settings["time"], settings["trainer"]["max_epochs"] = None, epochs

    decisions: list[Callback] = [AutoBatchSize(set_batch_size)]
    if time := settings["time"]:
        seconds, resumed = seconds_of(time), settings["ckpt_path"] is not None
        decisions.append(TimeLimit(seconds, started, set_epochs, resumed))
    return decisions


def seconds_of(text: str) -> float:
    """Seconds of a duration such as `20m`, `90s`, `1h30m` or `2d`.

    Raises:
        ValueError: If it is none, or nothing.
    """
    compact = text.replace(" ", "").lower()
    seconds = sum(float(number) * UNITS[unit] for number, unit in re.findall(PART, compact))
    if not re.fullmatch(f"(?:{PART})+", compact) or seconds == 0:
        raise ValueError(f"Expected --time such as 20m, 90s or 1h30m, got {text!r}.")
    return seconds
