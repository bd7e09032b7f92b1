"""What an ablation compares, and the runs that this takes."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightning_app.commands.ablate.search_space import Search
from lightning_app.store.parameters import affects_training
from lightning_app.store.predictions import SplitName

MAX_SEED = 2**32 - 1  # that numpy takes
OWN = ("seed_everything", "trainer.logger")  # the seeds are the plan's, and so is the store


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
    split: SplitName = "test"
    search: Search | None = None

    def __post_init__(self) -> None:
        """Refuse a plan that asks for nothing, or twice for the same."""
        if bool(self.variations) == bool(self.search):
            raise ValueError("An ablation needs `variations` or `search`, one of the two.")
        if self.base_name in self.variations:
            raise ValueError(f"A variation is called {self.base_name!r}, as the base is.")
        wrong = len(set(self.seeds)) < len(self.seeds) or min(self.seeds, default=-1) < 0
        if wrong or max(self.seeds) > MAX_SEED:
            raise ValueError(
                f"Expected one seed or more, none twice, each 0 to {MAX_SEED}; got {self.seeds}."
            )
        self._check_variations()
        for config in self.configs:
            if not config.is_file():
                raise ValueError(f"There is no configuration {config} (base), seen from here.")
        if self.search and len(self.seeds) > 1:
            raise ValueError(f"A search makes all its trials with one seed, got {self.seeds}.")

    def _check_variations(self) -> None:
        """Refuse what would change nothing, or what is not a variation's to say."""
        known: dict[str, str] = {}
        for name, settings in self.variations.items():
            if not isinstance(name, str):  # jsonargparse lets other keys pass
                raise ValueError(f"Put the variation's name {name} into quotes.")
            if not name.isprintable() or not name.strip():
                raise ValueError(f"A variation is called {name!r}; expected a name of one line.")
            if not settings:
                raise ValueError(f"The variation {name!r} changes nothing.")
            if taken := [key for key in settings if key.startswith(OWN)]:
                hint = "`seeds:` names the seeds, and all runs are kept in one experiment"
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

    def examples(self, overrides: Sequence[str]) -> list["Child"]:
        """A run of each kind: what is wrong with one is wrong with all of it."""
        if self.search is None:
            return self.children(overrides)[: len(self.names)]
        values = {
            name: span if isinstance(span, list) else [span.low, span.high]
            for name, span in self.search.ranges.items()
        }
        settings = [
            {name: some[min(index, len(some) - 1)] for name, some in values.items()}
            for index in range(max(map(len, values.values())))
        ]
        return [self.child("search", self.seeds[0], some, overrides) for some in settings]

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
        text = json.dumps([contents, list(_that_count(arguments))])
        return Child(variation, seed, arguments, hashlib.sha256(text.encode()).hexdigest()[:16])


@dataclass(frozen=True)
class Child:
    """A run of an ablation.

    Attributes:
        variation: Its name.
        seed: Of everything that is drawn at random.
        arguments: What `fit` is told.
        key: Made of the base and of the arguments that change what is learned; a finished run of
            the same key is not repeated.
    """

    variation: str
    seed: int
    arguments: tuple[str, ...]
    key: str

    @property
    def name(self) -> str:
        """What the run is called."""
        return f"{self.variation}, seed {self.seed}"


def _that_count(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments that change what is learned: no pictures, no progress bar."""
    silent = False
    for argument in arguments:
        if argument.startswith("--"):
            silent = not affects_training(argument[2:].partition("=")[0])
        if not silent:
            yield argument


def as_argument(value: Any) -> str:
    """A value as the command line takes it."""
    return value if isinstance(value, str) else json.dumps(value)
