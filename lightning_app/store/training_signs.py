"""Training signs: what tells that a run is being trained, on this machine and in its store."""

from pathlib import Path
from typing import Any

from mlflow.entities import Run
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from lightning_app.store.run_file import Heartbeat, new_run_file, set_status, write_run_file
from lightning_app.store.system_metrics import SystemMetrics, next_sample


class TrainingSigns:
    """Writes the file of a run, its heartbeat and its system metrics, until it is stopped.

    Args:
        client: The spooling client of the run.
        run_id: Id of the run.
        name: Name of the run.
        folder: Folder of its checkpoints.
        resumed: The run, if it is resumed; its system metrics are continued.
    """

    def __init__(
        self, client: Any, run_id: str, name: str, folder: Path, resumed: Run | None
    ) -> None:
        self.folder = folder
        write_run_file(folder, new_run_file(name, resolve_tags().get(MLFLOW_PARENT_RUN_ID)))
        self._heartbeat = Heartbeat(folder)
        self._monitor = SystemMetrics(client, run_id, next_sample(resumed) if resumed else 0)
        self._monitor.start()

    def stop(self, status: str) -> None:
        """Stop, with the end state of the run."""
        self._monitor.finish()
        self._heartbeat.stop()
        set_status(self.folder, status)
