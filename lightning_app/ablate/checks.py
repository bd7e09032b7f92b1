"""What is wrong with a run's settings is said before the first run starts, not hours later."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from lightning_app.cli import ImageClassificationCLI, run


@dataclass(frozen=True)
class Settings:
    """What an ablation has to know of the runs that it starts.

    Attributes:
        experiment: Where the runs are found.
        root: Folder of the store.
        tags: That the configuration gives its runs.
        monitor: Metric by which the best epoch of a run is chosen.
        mode: `max` or `min`.
    """

    experiment: str
    root: Path
    tags: dict[str, Any]
    monitor: str
    mode: str


class _ParsingCLI(ImageClassificationCLI):
    """Reads a command line, and does nothing."""

    def instantiate_classes(self) -> None:
        """Build nothing."""

    def after_instantiate_classes(self) -> None:
        """There is nothing to name."""

    def _set_seed(self) -> None:
        """Draw nothing, and do not say so."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Run nothing."""


def check(arguments: Sequence[str]) -> Settings:
    """Read the command line of a fit.

    Args:
        arguments: What comes after `fit`.

    Raises:
        ValueError: If its runs would not be kept where an ablation can find them.
        SystemExit: With 2 if it does not parse.
    """
    config = run(["fit", *arguments], _ParsingCLI).config["fit"]
    logger = config.trainer.logger
    if not isinstance(logger, Namespace) or not logger.class_path.endswith(".RunLogger"):
        raise ValueError(
            "An ablation reads its runs from the store: trainer.logger has to be RunLogger."
        )
    best, options = config.best_checkpoint, logger.init_args
    return Settings(
        options.experiment_name,
        Path(options.root),
        options.tags or {},
        best.monitor or "val/accuracy",
        best.mode,
    )
