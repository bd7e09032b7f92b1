"""The MLflow logger of every run."""

import hashlib
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import MLFlowLogger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import SIGTERMException
from mlflow.entities import Metric, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME

from lightning_app.store.locations import (
    ROOT,
    checkpoint_folder,
    create_experiment,
    store_lock,
    tracking_uri,
)
from lightning_app.store.spooling_client import PatientClient

FLUSH_SECONDS = 5.0  # how far the UI may lag behind; a write costs a step some milliseconds
MAX_BATCH = 1000  # metrics that MLflow takes at once


class RunLogger(MLFlowLogger):
    """Keeps runs in `mlruns/mlflow.db`, or where `MLFLOW_TRACKING_URI` points.

    Metrics are buffered and sent every few seconds. Their x-axis is the epoch, but for those that
    end in `_step`. A run ends as FINISHED, FAILED, or, when interrupted, KILLED.

    Args:
        experiment_name: Runs that belong together.
        run_name: Name of the run; None makes one that no other run has.
        root: Folder of the store, the artifacts and the checkpoints.
        tags: Tags of the run.
    """

    def __init__(
        self,
        experiment_name: str = "image_classification",
        run_name: str | None = None,
        root: Path = ROOT,
        tags: dict[str, Any] | None = None,
    ) -> None:
        self.root = root
        self.uri = tracking_uri(root)
        self.default_name = "run"
        self._monitor: SystemMetricsMonitor | None = None
        self._tested_epoch: int | None = None
        self._state = RunStatus.RUNNING  # that an attached run has until it trains on
        self._buffer: list[Metric] = []
        self._flushed = time.monotonic()
        # One for each tracker: another would refuse what waits for this one.
        self._spool = root / "spool" / hashlib.sha256(self.uri.encode()).hexdigest()[:8]
        self._lock = store_lock(root)
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except OSError as error:
            hint = "Name another folder with --trainer.logger.root."
            raise ValueError(f"Runs cannot be kept in {root}: {error}. {hint}") from error
        try:
            super().__init__(experiment_name, run_name, self.uri, tags)
        finally:
            self._lock.release()

    @property
    def experiment_name(self) -> str:
        """Name of the experiment, which is part of the checkpoints' path."""
        return self._experiment_name

    @property
    def run_name(self) -> str:
        """Name of the run, as the UI shows it."""
        _ = self.experiment
        return self._run_name or ""

    @property
    def checkpoint_folder(self) -> Path:
        """Where the checkpoints of this run lie."""
        return checkpoint_folder(self.root, self._experiment_name, self.run_id or "")

    def attach(self, run_id: str, tested_epoch: int | None = None) -> bool:
        """Continue a run instead of starting one, if the store has it.

        Args:
            run_id: The run.
            tested_epoch: Epoch of the network that is only looked at: what is said of it belongs
                there, and the run's status stays as it is. None if the run trains on.
        """
        with self._lock:
            try:
                run = self._mlflow_client.get_run(run_id)
            except MlflowException:
                return False
        self._run_id, self._run_name = run.info.run_id, run.info.run_name
        self._experiment_name = self._mlflow_client.get_experiment(run.info.experiment_id).name
        self._tested_epoch = tested_epoch
        self._state = RunStatus.from_string(run.info.status)
        return True

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The client, after everything logged so far was sent; makes the run at first use."""
        if not self._initialized:
            try:
                self._open()
            except MlflowException as error:
                raise ConnectionError(f"Cannot open the runs at {self.uri}: {error}.") from error
        self.flush()
        return self._client

    def _open(self) -> None:
        self._client: Any = PatientClient(self._mlflow_client, self._spool)
        with self._lock:
            if self._run_id is None:
                create_experiment(self._mlflow_client, self._experiment_name, self.root, self.uri)
                self._run_name = self._chosen_name()
            _ = super().experiment
        self._client.send_waiting()
        if self._tested_epoch is None:
            self._mlflow_client.update_run(self._run_id, status="RUNNING")
            resumed = bool(self._mlflow_client.get_run(self._run_id).data.metrics)
            self._monitor = SystemMetricsMonitor(
                self._run_id, resume_logging=resumed, tracking_uri=self.uri
            )
            self._monitor.start()

    def _chosen_name(self) -> str:
        """What starts this run names it, in MLFLOW_RUN_CONTEXT; else the settings do."""
        # Not drawn by `random`, which the seed makes equal for every run.
        made = f"{self.default_name}-{secrets.token_hex(2)}"
        return resolve_tags().get(MLFLOW_RUN_NAME) or self._run_name or made

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Buffer metrics; see the class for their x-axis."""
        epoch = metrics.get("epoch", step or 0)
        if self._tested_epoch is not None:  # a trainer that does not train counts from zero
            epoch = self._tested_epoch
        self._state, now = RunStatus.RUNNING, time.time_ns() // 1_000_000
        for name, value in metrics.items():
            if name != "epoch":
                place = int(step or 0 if name.endswith("_step") else epoch)
                self._buffer.append(Metric(name, float(value), now, place))
        late = time.monotonic() - self._flushed > FLUSH_SECONDS
        if self._initialized and (late or len(self._buffer) >= MAX_BATCH):
            self.flush()

    def flush(self) -> None:
        """Send the metrics that wait."""
        self._flushed = time.monotonic()
        while self._buffer:
            batch, self._buffer = self._buffer[:MAX_BATCH], self._buffer[MAX_BATCH:]
            self._client.log_batch(self._run_id, metrics=batch)

    @rank_zero_only
    def finalize(self, status: str = "success") -> None:
        """Send everything and write down how the run ended."""
        if not self._initialized:
            return
        if self._monitor is not None:
            self._monitor.finish()
            self._monitor = None
        client = self.experiment
        if self._tested_epoch is None:
            state = _end_state(status)
            if state != RunStatus.FINISHED and RunStatus.is_terminated(self._state):
                state = self._state
            client.set_terminated(self._run_id, RunStatus.to_string(state))
        if waiting := client.send_waiting():
            print(f"The tracker is away: {waiting} entries wait in {self._spool}.")

    @property
    def save_dir(self) -> str:
        """Where Lightning may put files of its own."""
        return str(self.root)

    @property
    def version(self) -> None:
        """Nothing: the progress bar would show it, and ask for it at every step."""
        return

    @property
    def name(self) -> str:
        """Name of the experiment."""
        return self._experiment_name


def _end_state(status: str) -> int:
    if status != "failed":
        return RunStatus.FINISHED
    # Lightning reports an interrupt as a failure, but while it is still handling it.
    interrupted = isinstance(sys.exception(), KeyboardInterrupt | SIGTERMException)
    return RunStatus.KILLED if interrupted else RunStatus.FAILED
