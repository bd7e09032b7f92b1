"""Settings check of child runs: errors are reported before the first run, not hours later."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jsonargparse import Namespace

from lightning_app.cli.child_runs.child_run import ChildRun
from lightning_app.cli.classification_cli import ImageClassificationCLI
from lightning_app.cli.training_commands import run
from lightning_app.store.predictions import SplitName


@dataclass(frozen=True)
class RunSettings:
    """What a parent run has to know of its child runs.

    Attributes:
        experiment: MLflow experiment of the runs.
        root: Folder of the store.
        monitor: Metric that chooses the best epoch of a run.
        mode: `max` or `min`.
        has_test: Whether the dataset has test images.
    """

    experiment: str
    root: Path
    monitor: str
    mode: str
    has_test: bool = False


class DryRunCLI(ImageClassificationCLI):
    """Command line that builds data, network and callbacks, but no trainer, and runs nothing."""

    def instantiate_classes(self) -> None:
        """Build everything but the trainer: the classes themselves reject values out of range."""
        self.config_init = self.parser.instantiate_classes(self.config)

    def after_instantiate_classes(self) -> None:
        """Name no run."""

    def _set_seed(self) -> None:
        """Seed nothing, and print nothing about it."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Run nothing."""


def check_runs(children: Sequence[ChildRun], split: SplitName | None) -> RunSettings:
    """Build what each run would train, and discard it.

    Args:
        children: One run of each kind, the base first.
        split: Images on which the runs are compared, if any.

    Returns:
        The settings of the base that the parent run needs.

    Raises:
        ValueError: If a setting is invalid, the dataset lacks the images to compare on, or the runs
            would be stored where the parent run cannot find them.
        SystemExit: With 2 if a setting does not parse.
    """
    found = []
    for child in children:
        hint = f"  This setting belongs to variation {child.variation!r}."
        try:
            found.append(_check(child, split))
        except SystemExit:
            if len(children) > 1:
                print(hint, file=sys.stderr)
            raise
        except ValueError as error:
            if len(children) == 1:
                raise
            raise ValueError(f"{error}\n{hint}") from error
        if (found[-1].experiment, found[-1].root) != (found[0].experiment, found[0].root):
            raise ValueError(
                f"The runs of {child.variation!r} would not be stored with those of "
                f"{children[0].variation!r}; all child runs belong to one experiment."
            )
    return found[0]


def _check(child: ChildRun, split: SplitName | None) -> RunSettings:
    cli = run(["fit", *child.arguments], DryRunCLI)
    config = cli.config["fit"]
    logger = config.trainer.logger
    if not isinstance(logger, Namespace) or not logger.class_path.endswith(".RunLogger"):
        raise ValueError("Child runs are read from the store: trainer.logger has to be RunLogger.")
    data = cli.config_init["fit"].data
    data.prepare_data()
    if split and not len(data.sources.get(split, ())):
        raise ValueError(
            f"The dataset has no {split} images to compare on. Choose others with `split:`, or "
            f"split some off with data.split.{split}."
        )
    best, options = config.best_checkpoint, logger.init_args
    return RunSettings(
        options.experiment_name,
        Path(options.root),
        best.monitor or "val/accuracy",
        best.mode,
        len(data.sources.get("test", ())) > 0,
    )
