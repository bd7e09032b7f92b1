"""MLflow run logger: metrics, run name, end state and checkpoint folder of every run."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import MLFlowLogger
from lightning.pytorch.utilities import rank_zero_only
from mlflow import MlflowClient
from mlflow.entities import LifecycleStage, Run, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME

from datamodules.redaction import redact, redact_text
from lightning_app.store.deleted_runs import refuse_deleted_run
from lightning_app.store.end_state import end_state, failure
from lightning_app.store.locations import (
    ROOT,
    checkpoint_folder,
    create_experiment,
    folder_of,
    local_uri,
    spool_folder,
    store_lock,
    tracking_uri,
)
from lightning_app.store.metric_buffer import MetricBuffer, check_names, renamed
from lightning_app.store.offline import OFFLINE, WAITS, stored_run_of
from lightning_app.store.sent_spools import send_others
from lightning_app.store.spooling_client import SpoolingClient
from lightning_app.store.training_signs import TrainingSigns

HINT = "To train without it: --trainer.logger.offline true, and `lightning_cli sync` later."
FAILURE = "failure"  # tag: why a run has failed


class RunLogger(MLFlowLogger):
    """Logs a run to `mlruns/mlflow.db`, or to the server at `MLFLOW_TRACKING_URI`.

    Metrics are buffered and sent every few seconds. Their x-axis is the epoch, or the step if
    their name ends in `_step`. A run ends as FINISHED, FAILED, or, if interrupted, KILLED.

    Args:
        experiment_name: Name of the experiment, a group of runs.
        run_name: Name of the run; None generates a unique one.
        root: Folder of the store, the artifacts and the checkpoints.
        tags: Tags of the run.
        offline: Whether to log to `mlruns/mlflow.db` although `MLFLOW_TRACKING_URI` is set, until
            `lightning_cli sync` sends the run.

    Attributes:
        attached: Client and run, if an existing run is continued; else None.
        renamed_splits: Other names of splits in the names of metrics.
        buffer: Metrics that wait to be sent.
        waits: Whether not to create the run yet, although Lightning asks for it before any setup.
    """

    def __init__(
        self,
        experiment_name: str = "image_classification",
        run_name: str | None = None,
        root: Path = ROOT,
        tags: dict[str, Any] | None = None,
        offline: bool = False,
    ) -> None:
        self.root = root
        self.uri = local_uri(root) if offline else tracking_uri(root)
        if self.uri != tracking_uri(root):
            tags = {**(tags or {}), OFFLINE: WAITS}
        self.default_name = "run"
        self.attached: tuple[MlflowClient, Run] | None = None
        self.renamed_splits: dict[str, str] = {}
        self.waits = False
        self._signs: TrainingSigns | None = None
        self._tested_epoch: int | None = None
        self._state = RunStatus.RUNNING  # an attached run keeps its own until it trains
        self.buffer = MetricBuffer()
        # One spool for each server: another server would reject the writes for this one.
        self._spool = spool_folder(root, self.uri)
        self._lock = store_lock(root)
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except OSError as error:
            hint = "Choose another folder with --trainer.logger.root."
            raise ValueError(f"Runs cannot be stored in {root}: {error}. {hint}") from error
        try:
            super().__init__(experiment_name, run_name, self.uri, redact(tags))
        finally:
            self._lock.release()

    @property
    def experiment_name(self) -> str:
        """Name of the experiment, which is part of the path of the checkpoints."""
        return self._experiment_name

    name = experiment_name  # pyright: ignore[reportIncompatibleMethodOverride] - in Lightning

    @property
    def run_name(self) -> str:
        """Name of the run, as the UI shows it."""
        _ = self.experiment
        return self._run_name or ""

    @property
    def is_finished(self) -> bool:
        """Whether the run that is continued has ended well."""
        return self._state == RunStatus.FINISHED

    @property
    def checkpoint_folder(self) -> Path:
        """Folder of the checkpoints of this run."""
        if self.attached is not None:
            return folder_of(self.root, self._experiment_name, self.attached[1])
        run_id = self._run_id or self.run_id or ""
        return checkpoint_folder(self.root, self._experiment_name, run_id)

    @property
    def is_training(self) -> bool:
        """Whether this process trains the run, and has not set its end state."""
        return self._signs is not None

    def attach(self, run_id: str, tested_epoch: int | None = None) -> bool:
        """Continue an existing run instead of starting a new one.

        Args:
            run_id: Id of the run.
            tested_epoch: Epoch of the checkpoint, if it is only evaluated: its metrics are logged
                at this epoch, and the status of the run stays. None if training is resumed.

        Returns:
            Whether the store has the run.

        Raises:
            ValueError: If the run was deleted.
        """
        with self._lock:
            run = stored_run_of(self._mlflow_client, run_id)
        if run is None:
            return False
        if run.info.lifecycle_stage == LifecycleStage.DELETED:
            refuse_deleted_run(self._mlflow_client, run_id)
        self._run_id, self._run_name = run.info.run_id, run.info.run_name
        self._experiment_name = self._mlflow_client.get_experiment(run.info.experiment_id).name
        self._tested_epoch = tested_epoch
        self._state = RunStatus.from_string(run.info.status)
        self.attached = self._mlflow_client, run
        return True

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The client, after sending the buffered metrics; the first access creates the run."""
        if self.waits:
            return None
        if not self._initialized:
            try:
                self._open()
            except MlflowException as error:
                why = redact_text(f"Cannot open the runs at {self.uri}: {error}. {HINT}")
                raise ConnectionError(why) from error
        self.flush()
        return self._client

    @property
    def sent_client(self) -> MlflowClient:
        """The client itself, after all writes so far have been sent; its own are not spooled.

        Raises:
            MlflowException: If MLflow does not answer.
        """
        self.experiment.get_run(self.run_id)
        return self._mlflow_client

    def _open(self) -> None:
        with self._lock:
            if self._run_id is None:
                create_experiment(self._mlflow_client, self._experiment_name, self.root, self.uri)
                self._run_name = self._chosen_name()
            _ = super().experiment
        run_id = self._run_id or ""
        self._client: Any = SpoolingClient(self._mlflow_client, self._spool / run_id)
        self._client.send_in_background()
        send_others(self._mlflow_client, self._spool, run_id)
        if self._tested_epoch is None:
            self._begin(run_id)

    def _begin(self, run_id: str) -> None:
        """Mark the run as training."""
        resumed = None
        if self.attached is not None:
            self._mlflow_client.update_run(run_id, status="RUNNING")
            resumed = self._mlflow_client.get_run(run_id)
        name = self._run_name or ""
        self._signs = TrainingSigns(self._client, run_id, name, self.checkpoint_folder, resumed)

    def _chosen_name(self) -> str:
        """The name in MLFLOW_RUN_CONTEXT (set by an ablation), in the settings, or a random one."""
        # Not from `random`: with a fixed seed, it would give every run the same name.
        generated = f"{self.default_name}-{secrets.token_hex(2)}"
        return resolve_tags().get(MLFLOW_RUN_NAME) or self._run_name or generated

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Buffer metrics; the class describes their x-axis."""
        values = {renamed(name, self.renamed_splits): value for name, value in metrics.items()}
        epoch = values.pop("epoch", step or 0)
        if self._tested_epoch is not None:  # a trainer that only evaluates counts from zero
            epoch = self._tested_epoch
        self._state = RunStatus.RUNNING
        check_names(values)
        self.buffer.add(values, step or 0, int(epoch))
        if self._initialized and self.buffer.is_due:
            self.flush()

    def flush(self) -> None:
        """Send the buffered metrics."""
        for batch in self.buffer.batches():
            self._client.log_batch(self._run_id, metrics=batch)

    @rank_zero_only
    def finalize(self, status: str = "success") -> None:
        """Send everything and set the end state of the run."""
        if not self._initialized:
            return
        if self._tested_epoch is None:
            self._end(status)
        self.flush()
        self._client.close()

    def _end(self, status: str) -> None:
        state = end_state(status)
        if state != RunStatus.FINISHED and RunStatus.is_terminated(self._state):
            state = self._state
        self._state, name = state, RunStatus.to_string(state)
        if self._signs is not None:
            self._signs.stop(name)
            self._signs = None
        self.flush()
        if status == "failed" and (reason := failure()) is not None:
            self._client.set_tag(self._run_id, FAILURE, reason)
        self._client.set_terminated(self._run_id, name)

    @rank_zero_only
    def close(self) -> None:
        """Wait for the writes, for a limited time, and say what is left of them."""
        if self._initialized and (left := self._client.close()):
            print(
                f"Tracker     {left} writes wait for MLflow in {self._spool}; `lightning_cli sync` "
                "sends them, and so does the next fit."
            )

    @property
    def save_dir(self) -> str:
        """Folder for files of Lightning's own."""
        return str(self.root)

    @property
    def version(self) -> None:
        """None: the progress bar would show a version, and ask for it at every step."""
