"""Stored run: parameters, metrics, tags and artifacts of an MLflow run, read from its store."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import FileInfo, Run
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

import lightning_app.store.spooling_client  # noqa: F401 - limits the retries of MLflow
from datamodules.redaction import redact
from lightning_app.store.artifacts import artifacts_of
from lightning_app.store.drivers import check_artifacts

RESUMED = "resumed_with."
CLAIM = "claim."  # parameters of a parent run that are no settings: who trains its child runs


class StoredRun:
    """Reads a run. What it lacks is returned as empty, since a run may have ended at any time.

    Args:
        client: Client of the store.
        run: The run.
        folder: Folder for downloaded artifacts.

    Attributes:
        run: The run.
        tags: Tags of the run.
        metrics: Last value of each metric.
        params: Parameters of the run, as the latest fit had them.
        experiment: Name of the experiment.
    """

    def __init__(self, client: MlflowClient, run: Run, folder: Path) -> None:
        self.run, self.metrics = run, run.data.metrics
        self.tags = redact(run.data.tags)  # an earlier version may have stored secrets
        # Parameters of a run cannot change: a resumed fit logs changed ones as tags.
        own = {key: text for key, text in run.data.params.items() if not key.startswith(CLAIM)}
        self.params = redact(own) | {
            key.removeprefix(RESUMED): value
            for key, value in self.tags.items()
            if key.startswith(RESUMED)
        }
        experiment = client.get_experiment(run.info.experiment_id)
        check_artifacts(experiment)
        self.experiment = experiment.name
        self._client, self._folder = client, folder
        self._downloaded: dict[str, Path] = {}

    @cached_property
    def files(self) -> list[str]:
        """Paths of all artifacts, including those in folders."""
        # The client waits for what it has still to write.
        return list(self._below(self._client.list_artifacts(self.run.info.run_id)))

    def content(self, path: str) -> bytes:
        """Content of an artifact; empty if there is none."""
        if path not in self.files:
            return b""
        if path not in self._downloaded:
            is_local = isinstance(self._artifacts, LocalArtifactRepository)  # needs no copy
            folder = None if is_local else str(self._folder)
            self._downloaded[path] = Path(self._artifacts.download_artifacts(path, folder))
        return self._downloaded[path].read_bytes()

    def text(self, path: str) -> str:
        """Content of a text artifact; empty if there is none."""
        return self.content(path).decode("utf-8", "replace")

    def table(self, path: str) -> list[dict[str, Any]]:
        """Rows of a table in MLflow's JSON format, or of a CSV file, whose values are strings."""
        text = self.text(path)
        if path.endswith(".csv"):
            return list(csv.DictReader(io.StringIO(text)))
        content = json.loads(text or '{"columns": [], "data": []}')
        return [dict(zip(content["columns"], row, strict=True)) for row in content["data"]]

    def history(self, metric: str) -> dict[int, float]:
        """Values of a metric by epoch; the last one if an epoch has several."""
        points = self._client.get_metric_history(self.run.info.run_id, metric)
        return {point.step: point.value for point in sorted(points, key=lambda p: p.timestamp)}

    def options(self, prefix: str) -> dict[str, Any]:
        """Parameters below a name, without that prefix: `width` for `options("model.backbone")`."""
        start = f"{prefix}."
        return {
            key.removeprefix(start): value
            for key, value in self.params.items()
            if key.startswith(start)
        }

    @cached_property
    def _artifacts(self) -> ArtifactRepository:
        return artifacts_of(self._client, self.run)

    def _below(self, files: Iterable[FileInfo]) -> Iterator[str]:
        for file in files:
            if file.is_dir:
                yield from self._below(self._artifacts.list_artifacts(file.path))
            else:
                yield file.path


@contextmanager
def open_stored_run(client: MlflowClient, run: Run) -> Iterator[StoredRun]:
    """Open a run for reading; downloaded artifacts are deleted at the end."""
    with TemporaryDirectory() as folder:
        yield StoredRun(client, run, Path(folder))
