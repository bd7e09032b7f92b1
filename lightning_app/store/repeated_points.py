"""Repeated points: what a run has logged after the checkpoint from which it is resumed.

A resumed fit computes these points of its metrics again, and MLflow can neither replace nor delete
points. So the logger leaves them out. The store has all points that a checkpoint has seen, since
they are sent before it is saved.
"""

import logging
from collections import Counter
from typing import Any, NamedTuple

from mlflow.exceptions import MlflowException

from lightning_app.store.metric_buffer import MetricBuffer, is_over_steps

log = logging.getLogger(__name__)

MEASURED = "system/"  # begins metrics of the machine, which are not repeated


class SavedPosition(NamedTuple):
    """Where the metrics of a fit were when a checkpoint was saved.

    Attributes:
        step: The next step.
        epoch: The epoch of the newest metrics.
        seen: Number of points that each metric had in this epoch.
    """

    step: int
    epoch: int
    seen: dict[str, int]

    @classmethod
    def of(cls, buffer: MetricBuffer, step: int, validating: bool) -> "SavedPosition":
        """The present position; a validation that is going on will be repeated as a whole."""
        kept = {n: c for n, c in buffer.seen.items() if not (validating and n.startswith("val/"))}
        return cls(step, buffer.epoch, kept)


def repeated_points(
    client: Any, run_id: str | None, position: SavedPosition
) -> Counter[tuple[str, int]]:
    """Points (name, x) of a run from a position on; none if the run cannot be read.

    Args:
        client: MLflow client.
        run_id: Id of the run.
        position: Where the resumed fit begins.
    """
    try:
        names = [n for n in client.get_run(run_id).data.metrics if not n.startswith(MEASURED)]
        points = [
            (n, metric.step) for n in names for metric in client.get_metric_history(run_id, n)
        ]
    except (MlflowException, OSError) as error:
        log.warning("Metrics may be logged twice, since the run cannot be read: %s", error)
        return Counter()
    later = Counter(
        (name, x)
        for name, x in points
        if x >= (position.step if is_over_steps(name) else position.epoch)
    )
    later.subtract({(name, position.epoch): count for name, count in position.seen.items()})
    return +later
