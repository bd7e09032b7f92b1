"""What a search may try."""

from dataclasses import dataclass
from typing import Any


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
