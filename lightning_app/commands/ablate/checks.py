"""What is wrong with a run's settings is said before the first run starts, not hours later."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jsonargparse import Namespace

from lightning_app.cli.training import ImageClassificationCLI, run
from lightning_app.commands.ablate.plan import Child
from lightning_app.store.predictions import SplitName


@dataclass(frozen=True)
class Settings:
    """What an ablation has to know of the runs that it starts.

    Attributes:
        experiment: Where the runs are found.
        root: Folder of the store.
        monitor: Metric by which the best epoch of a run is chosen.
        mode: `max` or `min`.
    """

    experiment: str
    root: Path
    monitor: str
    mode: str


class _BuildingCLI(ImageClassificationCLI):
    """Reads a command line and builds what it names, but no trainer, and runs nothing."""

    def instantiate_classes(self) -> None:
        """Build data, network and callbacks: a value that is out of range is told by them."""
        self.config_init = self.parser.instantiate_classes(self.config)

    def after_instantiate_classes(self) -> None:
        """There is nothing to name."""

    def _set_seed(self) -> None:
        """Draw nothing, and do not say so."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Run nothing."""


def check_all(children: Sequence[Child], split: SplitName | None) -> Settings:
    """Try what each kind of run of an ablation is told.

    Args:
        children: One run of each kind, the base first.
        split: Images that they are compared on, if any.

    Returns:
        What an ablation has to know of the base's.

    Raises:
        ValueError: If a setting is wrong, the data lack the images to compare on, or the runs
            would not be kept where an ablation can find them.
        SystemExit: With 2 if a setting does not parse.
    """
    found = []
    for child in children:
        try:
            found.append(_check(child, split))
        except SystemExit:
            print(f"  That is told to the runs of {child.variation!r}.", file=sys.stderr)
            raise
        except ValueError as error:
            raise ValueError(
                f"{error}\n  That is told to the runs of {child.variation!r}."
            ) from error
        if (found[-1].experiment, found[-1].root) != (found[0].experiment, found[0].root):
            raise ValueError(
                f"The runs of {child.variation!r} would be kept elsewhere than those of "
                f"{children[0].variation!r}; all of an ablation's are in one experiment."
            )
    return found[0]


def _check(child: Child, split: SplitName | None) -> Settings:
    cli = run(["fit", *child.arguments], _BuildingCLI)
    config = cli.config["fit"]
    logger = config.trainer.logger
    if not isinstance(logger, Namespace) or not logger.class_path.endswith(".RunLogger"):
        raise ValueError(
            "An ablation reads its runs from the store: trainer.logger has to be RunLogger."
        )
    data = cli.config_init["fit"].data
    data.prepare_data()
    if split and not len(data.sources.get(split, ())):
        raise ValueError(
            f"The data have no {split} images to compare on; name others with `split:`, or let "
            f"some be split off with data.split.{split}."
        )
    best, options = config.best_checkpoint, logger.init_args
    return Settings(
        options.experiment_name, Path(options.root), best.monitor or "val/accuracy", best.mode
    )
