"""Results of an earlier evaluation: kept under a name of their own before others replace them."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from lightning_app.store.evaluations import FILE

log = logging.getLogger(__name__)

FOLDER = "earlier"  # among the artifacts


def results_of_split(files: Iterable[str], split: str) -> list[str]:
    """Artifacts that an evaluation of a split has written: predictions, tables and figures."""
    return [
        file
        for file in files
        if file == f"predictions/{split}.csv"
        or (file.startswith("tables/") and file.endswith(f"_{split}.json") and file != FILE)
        or (file.startswith(f"figures/{split}_") and not file.startswith(f"figures/{split}_seen_"))
    ]


def keep_earlier_results(client: Any, run_id: str, files: Sequence[str], split: str) -> str:
    """Move the results of a split to `earlier/<split>_<number>`.

    The figures of a validation are copied and stay: those of a fit are not all drawn again, and
    their titles name the epoch.

    Args:
        client: An `MlflowClient`.
        run_id: Id of the run.
        files: All artifacts of the run.
        split: Name of the split.

    Returns:
        The folder; empty if there was nothing to keep, or the store did not answer.
    """
    found = results_of_split(files, split)
    if not found:
        return ""
    taken = {PurePosixPath(file).parts[1] for file in files if file.startswith(f"{FOLDER}/")}
    number = next(n for n in range(1, len(taken) + 2) if f"{split}_{n}" not in taken)
    folder = f"{FOLDER}/{split}_{number}"
    try:
        with TemporaryDirectory() as place:
            for file in found:
                target = PurePosixPath(folder, file).parent
                source = client.download_artifacts(run_id, file, place)
                client.log_artifact(run_id, str(Path(source)), str(target))
        _delete(client, run_id, [f for f in found if not f.startswith("figures/val_")])
    except (MlflowException, OSError) as error:
        log.warning("The earlier results for %s could not be kept: %s", split, error)
        return ""
    return folder


def _delete(client: Any, run_id: str, files: Iterable[str]) -> None:
    """Delete artifacts, so that none of another evaluation is taken for one of the next."""
    repository = get_artifact_repository(client.get_run(run_id).info.artifact_uri)
    for file in files:
        try:
            repository.delete_artifacts(file)
        except NotImplementedError:  # not every kind of store can; they are replaced if drawn again
            return
