"""Metric buffer: collects metrics of a run, to be sent to MLflow in batches."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from mlflow.entities import Metric

FLUSH_SECONDS = 5.0  # maximum delay of the UI; a write costs a training step some milliseconds
NAME = re.compile(r"[\w\-./: ]+")
MAX_BATCH = 1000  # metrics that MLflow accepts at once


class MetricBuffer:
    """Metrics that have not been sent yet.

    Attributes:
        epoch: The newest epoch.
        seen: How many points of each metric belong to it; those over the steps do not count.
        repeated: Points (name, x) that the run has already, from a fit that was killed after its
            last checkpoint: each is left out once, since the resumed fit computes it again.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.seen: Counter[str] = Counter()
        self.repeated: Counter[tuple[str, int]] = Counter()
        self._metrics: list[Metric] = []
        self._emptied = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether it is time to send, because of the delay or the number of metrics."""
        late = time.monotonic() - self._emptied > FLUSH_SECONDS
        return late or len(self._metrics) >= MAX_BATCH

    def add(self, metrics: Mapping[str, float], step: int, epoch: int) -> None:
        """Add metrics; the x-axis is the step for names that end in `_step`, else the epoch."""
        now = time.time_ns() // 1_000_000
        if epoch != self.epoch:
            self.epoch, self.seen = epoch, Counter()
        for name, value in metrics.items():
            x = step if is_over_steps(name) else epoch
            self.seen[name] += not is_over_steps(name)
            if self.repeated[name, x] > 0:
                self.repeated[name, x] -= 1
            else:
                self._metrics.append(Metric(name, float(value), now, x))

    def batches(self) -> Iterator[list[Metric]]:
        """Remove the metrics and yield them in batches that MLflow accepts."""
        self._emptied = time.monotonic()
        while self._metrics:
            batch, self._metrics = self._metrics[:MAX_BATCH], self._metrics[MAX_BATCH:]
            yield batch


def check_names(names: Iterable[str]) -> None:
    """Refuse names of metrics that MLflow would refuse later, together with other metrics.

    Raises:
        ValueError: If a name has other characters than MLflow allows.
    """
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError(
                f"A metric cannot be called {name!r}: names may only contain letters, digits, "
                "spaces and '_', '-', '.', ':' and '/'."
            )


def is_over_steps(metric: str) -> bool:
    """Whether the x-axis of a metric is the step, not the epoch."""
    return metric.endswith("_step")


def renamed(metric: str, splits: Mapping[str, str]) -> str:
    """Name of a metric whose split has another name: `test_seen/accuracy` for `test/accuracy`."""
    split, slash, name = metric.partition("/")
    return f"{splits.get(split, split)}{slash}{name}"
