"""The file of an ablation, and the runs that it asks for."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from lightning_app.compare.answers import Split
from lightning_app.mistakes.parse_errors import BriefParser


@dataclass(frozen=True)
class Range:
    """Numbers between two ends, whole ones if both ends are.

    Attributes:
        low: The smallest.
        high: The largest.
        log: Whether a factor counts, not a difference, as suits learning rates.
    """

    low: int | float
    high: int | float
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse a range without numbers."""
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(
                f"Expected low below high, and above 0 with log; got {self.low} and {self.high}."
            )


@dataclass(frozen=True)
class Search:
    """Optuna looks for the best settings, instead of trying each.

    Attributes:
        ranges: What to try, by the name of the setting: `[none, light]` is a choice, `{low: 1.0e-4,
            high: 1.0e-1, log: true}` a `Range`.
        trials: Runs to make, those that are pruned among them.
        prune: Stop a run that is worse than the median of those before it at the same epoch.
        pruning_starts: First epoch after which a run may be stopped.
    """

    ranges: dict[str, Range | list[Any]]
    trials: int = 20
    prune: bool = True
    pruning_starts: int = 3

    def __post_init__(self) -> None:
        """Refuse a search for nothing."""
        if self.trials < 1 or not self.ranges or [] in self.ranges.values():
            raise ValueError("A search needs one trial or more, and ranges that are not empty.")


@dataclass(frozen=True)
class Plan:
    """What is compared with what.

    Attributes:
        base: Configuration that all runs share, as `fit` has it; several are laid over each other.
        variations: Settings of each variation by its name, as on the command line:
            `{no augmentation: {data.augmentation: none}}`.
        base_name: What the runs of the base are called.
        seeds: Each variation is trained with each.
        split: Images that the variations are compared on: `test`, or `val`.
        search: What to look for, instead of variations.
    """

    base: Path | list[Path]
    variations: dict[str, dict[str, Any]] = field(default_factory=dict)
    base_name: str = "base"
    seeds: list[int] = field(default_factory=lambda: [0])
    split: Split = "test"
    search: Search | None = None

    def __post_init__(self) -> None:
        """Refuse a plan that asks for nothing, or twice for the same."""
        if bool(self.variations) == bool(self.search):
            raise ValueError("An ablation needs `variations` or `search`, one of the two.")
        if self.base_name in self.variations:
            raise ValueError(f"A variation is called {self.base_name!r}, as the base is.")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"Expected seeds, none of them twice; got {self.seeds}.")
        for config in self.configs:
            if not config.is_file():
                raise ValueError(f"There is no configuration {config} (base), seen from here.")
        if self.search and len(self.seeds) > 1:
            raise ValueError(f"A search makes all its trials with one seed, got {self.seeds}.")

    @property
    def configs(self) -> list[Path]:
        """The files of the base."""
        return self.base if isinstance(self.base, list) else [self.base]

    @property
    def names(self) -> list[str]:
        """Of the base and the variations."""
        return [self.base_name, *self.variations]

    def children(self, overrides: Sequence[str]) -> list["Child"]:
        """A run for each variation and seed; seed by seed, so that all can be compared early.

        Args:
            overrides: Arguments of `fit` for all of them; those of a variation come after them.
        """
        return [
            self.child(name, seed, self.variations.get(name, {}), overrides)
            for seed in self.seeds
            for name in self.names
        ]

    def examples(self, overrides: Sequence[str]) -> list[tuple[str, ...]]:
        """Arguments of a run of each kind: what is wrong with one is wrong with all of it."""
        if self.search is None:
            return [child.arguments for child in self.children(overrides)[: len(self.names)]]
        values = {
            name: span if isinstance(span, list) else [span.low, span.high]
            for name, span in self.search.ranges.items()
        }
        settings = [
            {name: some[min(index, len(some) - 1)] for name, some in values.items()}
            for index in range(max(map(len, values.values())))
        ]
        return [self.child("", self.seeds[0], some, overrides).arguments for some in settings]

    def search_key(self, overrides: Sequence[str]) -> str:
        """Another one for other ranges, or another base."""
        base = self.child("", self.seeds[0], {}, overrides).key
        ranges = self.search.ranges if self.search else {}
        return hashlib.sha256(f"{ranges} {base}".encode()).hexdigest()[:8]

    def child(
        self, variation: str, seed: int, settings: dict[str, Any], overrides: Sequence[str]
    ) -> "Child":
        """One run."""
        configs = [part for config in self.configs for part in ("--config", str(config))]
        own = [f"--{key}={as_argument(value)}" for key, value in settings.items()]
        arguments = (*configs, *overrides, *own, f"--seed_everything={seed}")
        contents = "".join(config.read_text() for config in self.configs)
        text = json.dumps([contents, arguments])
        return Child(variation, seed, arguments, hashlib.sha256(text.encode()).hexdigest()[:16])


@dataclass(frozen=True)
class Child:
    """A run of an ablation.

    Attributes:
        variation: Its name.
        seed: Of everything that is drawn at random.
        arguments: What `fit` is told.
        key: Made of the arguments and the base; a finished run of the same key is not repeated.
    """

    variation: str
    seed: int
    arguments: tuple[str, ...]
    key: str

    @property
    def name(self) -> str:
        """What the run is called."""
        return f"{self.variation}, seed {self.seed}"


def read_plan(file: Path) -> Plan:
    """Read the file of an ablation.

    Raises:
        ValueError: If there is no such file, or it asks for what cannot be.
        SystemExit: With 2 if it does not parse.
    """
    if not file.is_file():
        raise ValueError(f"There is no file {file}.")
    parser = BriefParser(prog="lightning_cli ablate")
    parser.add_argument("--config", action="config")
    parser.add_class_arguments(Plan)
    settings = parser.instantiate_classes(parser.parse_args(["--config", str(file)]))
    return Plan(**{part.name: settings[part.name] for part in fields(Plan)})


def as_argument(value: Any) -> str:
    """A value as the command line takes it."""
    return value if isinstance(value, str) else json.dumps(value)
