"""Search space: the settings that a search may try."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """Numbers between two ends; integers if both ends are integers.

    Attributes:
        low: The smallest number.
        high: The largest number.
        log: Sample on a logarithmic scale, as suits learning rates.
    """

    low: int | float
    high: int | float
    log: bool = False

    def __post_init__(self) -> None:
        """Reject an empty range."""
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(
                f"Expected low below high, and above 0 with log; got {self.low} and {self.high}."
            )


@dataclass(frozen=True)
class Search:
    """Search with Optuna for the best settings, instead of training fixed variations.

    Attributes:
        ranges: What to try, by the name of the setting: `[none, light]` is a choice, `{low: 1.0e-4,
            high: 1.0e-1, log: true}` a `Range`.
        trials: Number of runs, including those that are pruned.
        prune: Stop a run that is below the median of the earlier runs at the same epoch.
        pruning_starts: First epoch after which a run may be stopped.
        storage: Database of the study, for machines that share no folder:
            `postgresql+psycopg://USER@HOST/DATABASE`, or `$NAME` for a variable of the environment.
            None for a file in the folder of the store.
    """

    ranges: dict[str, Range | list[Any]]
    trials: int = 20
    prune: bool = True
    pruning_starts: int = 3
    storage: str | None = None

    def __post_init__(self) -> None:
        """Reject a search without trials or ranges."""
        if self.trials < 1 or not self.ranges or [] in self.ranges.values():
            raise ValueError("A search needs one trial or more, and ranges that are not empty.")
