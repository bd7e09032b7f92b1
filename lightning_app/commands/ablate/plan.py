"""Plan of an ablation: what is compared, and the runs that this takes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightning_app.cli.child_runs.child_run import ChildRun, check_seeds, child_run
from lightning_app.commands.ablate.search_space import Search
from lightning_app.store.predictions import SplitName

RESERVED = ("seed_everything", "trainer.logger")  # set by the plan, not by a variation


@dataclass(frozen=True)
class Plan:
    """What an ablation compares.

    Attributes:
        base: Configuration file of `fit` that all runs share; a list merges several files.
        variations: Settings of each variation by its name, as on the command line:
            `{no augmentation: {data.augmentation: none}}`.
        base_name: Name of the base's runs.
        seeds: Every variation is trained with every seed.
        split: Images on which the variations are compared: `test` or `val`.
        search: Settings to search for, instead of variations.
    """

    base: Path | list[Path]
    variations: dict[str, dict[str, Any]] = field(default_factory=dict)
    base_name: str = "base"
    seeds: list[int] = field(default_factory=lambda: [0])
    split: SplitName = "test"
    search: Search | None = None

    def __post_init__(self) -> None:
        """Reject a plan without runs, or with the same run twice."""
        if bool(self.variations) == bool(self.search):
            raise ValueError("An ablation needs either `variations` or `search`.")
        if self.base_name in self.variations:
            raise ValueError(f"A variation has the name of the base, {self.base_name!r}.")
        check_seeds(self.seeds)
        self._check_variations()
        for config in self.configs:
            if not config.is_file():
                raise ValueError(
                    f"There is no configuration {config} (base). Paths are relative to the "
                    "current folder."
                )
        if self.search and len(self.seeds) > 1:
            raise ValueError(f"A search runs all its trials with one seed, got {self.seeds}.")

    def _check_variations(self) -> None:
        """Reject variations that change nothing, or a setting that belongs to the plan."""
        known: dict[str, str] = {}
        for name, settings in self.variations.items():
            if not isinstance(name, str):  # jsonargparse does not check keys
                raise ValueError(f"Put the variation's name {name} in quotes.")
            if not name.isprintable() or not name.strip():
                raise ValueError(f"A variation is called {name!r}; expected a name of one line.")
            if not settings:
                raise ValueError(f"The variation {name!r} changes nothing.")
            if spaced := [key for key in settings if " " in str(key)]:
                raise ValueError(
                    f"The variation {name!r} sets {spaced[0]!r}; expected a dotted name without "
                    "spaces, such as data.augmentation."
                )
            if taken := [key for key in settings if key.startswith(RESERVED)]:
                hint = "`seeds:` sets the seeds, and all runs belong to one experiment"
                raise ValueError(f"The variation {name!r} sets {taken[0]}; {hint}.")
            same = known.setdefault(json.dumps(settings, sort_keys=True), name)
            if same != name:
                raise ValueError(f"The variations {same!r} and {name!r} are the same.")

    @property
    def configs(self) -> list[Path]:
        """The files of the base."""
        return self.base if isinstance(self.base, list) else [self.base]

    @property
    def names(self) -> list[str]:
        """Names of the base and the variations."""
        return [self.base_name, *self.variations]

    def child_runs(self, overrides: Sequence[str]) -> list[ChildRun]:
        """A run for each variation and seed; seed by seed, so that all can be compared early.

        Args:
            overrides: Arguments of `fit` for all runs; the settings of a variation override them.
        """
        return [
            self.child_run(name, seed, self.variations.get(name, {}), overrides)
            for seed in self.seeds
            for name in self.names
        ]

    def examples(self, overrides: Sequence[str]) -> list[ChildRun]:
        """One run of each variation, or runs with the ends of each range: enough for a check."""
        if self.search is None:
            return self.child_runs(overrides)[: len(self.names)]
        values = {
            name: span if isinstance(span, list) else [span.low, span.high]
            for name, span in self.search.ranges.items()
        }
        settings = [
            {name: some[min(index, len(some) - 1)] for name, some in values.items()}
            for index in range(max(map(len, values.values())))
        ]
        return [self.child_run("search", self.seeds[0], some, overrides) for some in settings]

    def search_key(self, overrides: Sequence[str]) -> str:
        """Digest of the base and the ranges: another search has another key."""
        base = self.child_run("", self.seeds[0], {}, overrides).key
        ranges = self.search.ranges if self.search else {}
        return hashlib.sha256(f"{ranges} {base}".encode()).hexdigest()[:8]

    def child_run(
        self, variation: str, seed: int, settings: dict[str, Any], overrides: Sequence[str]
    ) -> ChildRun:
        """One run."""
        configs = [part for config in self.configs for part in ("--config", str(config))]
        own = [f"--{key}={as_argument(value)}" for key, value in settings.items()]
        contents = "".join(config.read_text() for config in self.configs)
        return child_run(variation, seed, [*configs, *overrides, *own], contents)


def as_argument(value: Any) -> str:
    """A value as the command line takes it."""
    return value if isinstance(value, str) else json.dumps(value)
