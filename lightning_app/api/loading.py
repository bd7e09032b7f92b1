"""`lightning_app.load`: read runs from the MLflow store."""

import math
from collections.abc import Sequence
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from lightning_app.api.run import Run
from lightning_app.cli.networks.ensembles import ensemble_of
from lightning_app.store.checkpoints import (
    KEYWORDS,
    find_checkpoint,
    looks_like_file,
    readable_checkpoint,
)
from lightning_app.store.locations import ROOT, folder_of
from lightning_app.store.run_recorder import RUN_ID
from lightning_app.store.run_scores import latest_results
from lightning_app.store.runs import find_run, open_store
from lightning_app.store.stored_run import StoredRun, open_stored_run


def load(run: str | Path | Sequence[str | Path], root: str | Path = ROOT) -> Run:
    """Load a run from the store.

    Args:
        run: Name or id of the run, or the first 6 or more digits of its id; `best` or `last` for
            the newest run that has such a checkpoint; the file of a checkpoint; or
            `models:/NAME@ALIAS` for the run of a registered model. A list of them is an ensemble,
            whose probabilities are the mean of theirs; it has a run of its own.
        root: Folder of the store. `MLFLOW_TRACKING_URI` takes precedence if it is set.

    Returns:
        The run as it is now. Its checkpoint is the one that was named, else the best.

    Raises:
        ValueError: If there is no such run or checkpoint, several runs have the name, or the
            networks of a list do not fit together.
        ConnectionError: If the store does not answer.

    Example:
        >>> lightning_app.load("SmallCNN-a69f")
        <Run SmallCNN-a69f (04c80e) in digits: finished, val/accuracy 0.9895>
        >>> lightning_app.load("last").checkpoint.name
        'last.ckpt'
    """
    root = Path(root)
    if not isinstance(run, str | Path):
        run = ensemble_of(run, root) if len(run) > 1 else run[0]
    if str(run) not in KEYWORDS and not looks_like_file(Path(run)):
        client = open_store(root)
        return snapshot(client, find_run(client, str(run)), root)
    file, checkpoint = readable_checkpoint(find_checkpoint(run, root=root))
    run_id = checkpoint.get(RUN_ID)
    if run_id is None:
        raise ValueError(
            f"{file} does not name the run that it belongs to. `predict` and `explain` take the "
            "file itself."
        )
    client = open_store(root)
    return snapshot(client, find_run(client, run_id), root, file)


def as_run(run: Run | str | Path) -> Run:
    """The run itself, or the one that is loaded by its name or id."""
    return run if isinstance(run, Run) else load(run)


def snapshot(client: MlflowClient, run: MlflowRun, root: Path, file: Path | None = None) -> Run:
    """A run of the store as it is now.

    Args:
        client: The store.
        run: The run.
        root: Folder of the store.
        file: Its checkpoint; None for the best that it left, or else the last.
    """
    with open_stored_run(client, run) as stored:
        experiment, params = stored.experiment, stored.params
        metrics = stored.metrics | _last_scores(stored)
    folder = folder_of(root, experiment, run)
    left = [path for name in KEYWORDS if (path := folder / f"{name}.ckpt").is_file()]
    checkpoint = file or next(iter(left), None)
    return Run(
        str(run.info.run_name),
        run.info.run_id,
        experiment,
        run.info.status,
        dict(metrics),
        dict(params),
        checkpoint.resolve() if checkpoint else None,
        root.resolve(),
    )


def _last_scores(stored: StoredRun) -> dict[str, float]:
    """Scores of the last evaluations; the last value in MLflow is that of the latest epoch."""
    return {
        f"{result.split}/{metric.name}": score.value
        for result in latest_results(stored, [])
        for metric, score in result.scores.items()
        if not math.isnan(score.value)
    }
