"""`lightning_app.score`: record scores from elsewhere in a run."""

from collections.abc import Mapping
from pathlib import Path

from lightning_app.api.loading import as_run, snapshot
from lightning_app.api.run import Run
from lightning_app.store.external_scores import record_scores
from lightning_app.store.runs import open_store


def score(run: Run | str | Path, scores: Mapping[str, float], note: str = "") -> Run:
    """Record scores that were measured elsewhere, such as on a leaderboard, in a run.

    They are metrics of the run, `external/<name>`, and appear in its report and in `compare`. A
    score of the same name is replaced, with its note.

    Args:
        run: A run of `fit` or `load`; or what `load` takes.
        scores: Values by name.
        note: What to remember about them.

    Returns:
        The run with the scores.

    Raises:
        ValueError: If there is no such run, a name has other characters than letters, digits, `_`,
            `.`, `-` and `/`, or a value is not finite.

    Example:
        >>> run = lightning_app.score(run, {"kaggle/public": 0.998}, note="submission 3")
        >>> run.metrics["external/kaggle/public"]
        0.998
    """
    known = as_run(run)
    client = open_store(known.root)
    record_scores(client, client.get_run(known.id), scores, note)
    return snapshot(client, client.get_run(known.id), known.root, known.checkpoint)
