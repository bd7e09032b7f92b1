"""Plan of a cross-validation: the runs that it takes."""

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lightning_app.cli.child_runs.child_run import ChildRun, check_seeds, child_run, relevant
from lightning_app.cli.child_runs.parent_run import Identity

KIND = "folds"
ALL_CLASSES = "--predictions.top_k=1000000"  # the tables hold the probabilities of all classes
OF_THE_PLAN = ("--seed_everything", "--data.split.folds", "--data.split.fold", "--ckpt_path")


@dataclass(frozen=True)
class FoldsPlan:
    """A network for each fold and seed.

    Attributes:
        arguments: Command line after `fit`, which all runs share.
        folds: Number of folds.
        seeds: Number of seeds; each fold is trained with the seeds 0, 1, ….

    Raises:
        ValueError: If a number is out of range, or the arguments set what the plan sets.
    """

    arguments: tuple[str, ...]
    folds: int = 5
    seeds: int = 1

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise ValueError(f"Expected --folds of 2 or more, got {self.folds}.")
        if self.seeds < 1:
            raise ValueError(f"Expected --seeds of 1 or more, got {self.seeds}.")
        check_seeds(range(self.seeds))
        names = {argument.partition("=")[0] for argument in self.arguments}
        if taken := sorted(names & set(OF_THE_PLAN)):
            raise ValueError(
                f"`folds` sets {taken[0]} itself; --folds and --seeds are the numbers of folds and "
                "of seeds."
            )

    def child_runs(self) -> list[ChildRun]:
        """A run for each seed and fold; seed by seed, so that all folds can be seen early."""
        contents = "".join(file.read_text("utf-8") for file in _named_files(self.arguments))
        return [
            child_run(
                fold_name(fold),
                seed,
                [
                    *self.arguments,
                    f"--data.split.folds={self.folds}",
                    f"--data.split.fold={fold}",
                    ALL_CLASSES,
                ],
                contents,
            )
            for seed in range(self.seeds)
            for fold in range(self.folds)
        ]

    def identity(self, experiment: str) -> Identity:
        """What identifies the parent run: other settings are another one, more seeds are not."""
        place = shlex.join([*relevant(self.arguments), f"--folds={self.folds}"])
        digest = hashlib.sha256(place.encode()).hexdigest()[:4]
        return Identity(KIND, place, f"{experiment}-{digest}")


def fold_name(fold: int) -> str:
    """Name of the runs of a fold; people count folds from 1."""
    return f"fold {fold + 1}"


def fold_of(name: str) -> int:
    """The fold of a run with this name."""
    return int(name.rpartition(" ")[2]) - 1


def _named_files(arguments: Sequence[str]) -> list[Path]:
    """Configuration files that the arguments name."""
    values = [Path(argument.rpartition("=")[2]) for argument in arguments]
    return [file for file in values if file.suffix in (".yaml", ".yml") and file.is_file()]
