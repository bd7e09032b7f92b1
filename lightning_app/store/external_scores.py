"""External scores: measured elsewhere, such as on a leaderboard, and recorded in a run later."""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlflow.entities import Run

from lightning_app.store.stored_run import StoredRun

PREFIX = "external/"  # of the metrics
NOTE = "note."  # before the name of a metric: the tag with its note
NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")
MAX_NAME = 200  # letters; MLflow accepts 250, the prefix included


class ExternalScore(NamedTuple):
    """A score from elsewhere.

    Attributes:
        name: Its name, such as `kaggle/public`.
        value: Its value.
        note: What the user noted about it; empty for nothing.
    """

    name: str
    value: float
    note: str

    @property
    def text(self) -> str:
        """The value with up to six significant digits."""
        return f"{self.value:.6g}"


def record_scores(
    client: Any, run: Run, scores: Mapping[str, float], note: str = ""
) -> dict[str, float]:
    """Record scores as metrics of a run, `external/<name>`.

    Args:
        client: An `MlflowClient`.
        run: The run.
        scores: Values by name, with or without the prefix; nothing is recorded if one is invalid.
        note: Text about all of them; it replaces the notes of earlier scores of the same names.

    Returns:
        The earlier values, by name, of those scores that the run had already.

    Raises:
        ValueError: If a name is not like `kaggle/public`, or a value is not finite.
    """
    named = {name.removeprefix(PREFIX): value for name, value in scores.items()}
    for name, value in named.items():
        _check(name, value)
    run_id, known, tags = run.info.run_id, run.data.metrics, run.data.tags
    for name, value in named.items():
        client.log_metric(run_id, f"{PREFIX}{name}", value)
        tag = f"{NOTE}{PREFIX}{name}"
        if note:
            client.set_tag(run_id, tag, note)
        elif tag in tags:
            client.delete_tag(run_id, tag)
    return {name: known[f"{PREFIX}{name}"] for name in named if f"{PREFIX}{name}" in known}


def external_scores(record: StoredRun) -> list[ExternalScore]:
    """Scores that were recorded in a run, in alphabetical order."""
    return [
        ExternalScore(name.removeprefix(PREFIX), value, record.tags.get(f"{NOTE}{name}", ""))
        for name, value in sorted(record.metrics.items())
        if name.startswith(PREFIX)
    ]


def _check(name: str, value: float) -> None:
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise ValueError(
            f"A score cannot be called {name!r}; expected a name of letters, digits, '_', '.' and "
            f"'-', perhaps with parts between '/', such as kaggle/public, of up to {MAX_NAME} "
            "letters."
        )
    if not math.isfinite(value):
        raise ValueError(f"The score {name} is {value}; expected a finite number.")
