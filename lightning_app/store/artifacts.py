"""Artifacts of a run, read from where they are.

MLflow's client reads the run three times from its store for each folder that it lists and each file
that it downloads, and searches for logged models of the folder's name, which our runs do not have.
"""

from typing import Any

from mlflow.entities import Run
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository


def artifacts_of(client: Any, run: Run) -> ArtifactRepository:
    """Artifacts of a run, which the result lists and downloads.

    Args:
        client: MLflow client of the store.
        run: The run.
    """
    return get_artifact_repository(run.info.artifact_uri or "", tracking_uri=client.tracking_uri)


def files_below(client: Any, run: Run, folder: str) -> list[str]:
    """Paths of the files and folders in a folder of a run; empty if there is no such folder."""
    return [file.path for file in artifacts_of(client, run).list_artifacts(folder)]
