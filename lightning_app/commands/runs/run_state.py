"""State of a run: what its store says, and what the machine knows on which it trains."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Run

from lightning_app.store.locations import ROOT, folder_of
from lightning_app.store.run_file import RUNNING, read_run_file, trains_elsewhere
from lightning_app.store.run_logger import FAILURE
from lightning_app.store.runs import name_with_id

WORDS = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "stopped", "SCHEDULED": "scheduled"}
RESUMING = re.compile(r" --ckpt_path[= ]\S+")
MAX_REASON = 60  # letters


class RunState(NamedTuple):
    """State of a run.

    Attributes:
        run: The run.
        experiment: Name of its experiment.
        state: running, finished, failed, stopped, died; `running?` if nothing on this machine
            tells.
        epoch: The last epoch; None if it has no metric.
        best: The best score of the metric that chooses checkpoints; empty if there is none.
        has_checkpoint: Whether there is a `last.ckpt` on this machine.
    """

    run: Run
    experiment: str
    state: str
    epoch: int | None
    best: str
    has_checkpoint: bool

    @property
    def name(self) -> str:
        """Name of the run with the beginning of its id."""
        return name_with_id(self.run)

    @property
    def can_resume(self) -> bool:
        """Whether it ended early, and has a checkpoint."""
        return self.has_checkpoint and self.state in ("died", "failed", "stopped")

    @property
    def resume(self) -> str:
        """The command that resumes it."""
        command = self.run.data.tags.get("command", "lightning_cli fit --config FILE.yaml")
        return f"{RESUMING.sub('', command)} --ckpt_path {self.run.info.run_id}"

    def row(self) -> list[str]:
        """Cells of the table."""
        started = datetime.fromtimestamp(self.run.info.start_time / 1000, UTC).astimezone()
        reason = self.run.data.tags.get(FAILURE, "") if self.state == "failed" else ""
        shown = reason if len(reason) <= MAX_REASON else f"{reason[: MAX_REASON - 1]}…"
        return [
            self.name,
            self.experiment,
            f"{self.state}: {shown}" if shown else self.state,
            "" if self.epoch is None else str(self.epoch),
            self.best,
            f"{started:%Y-%m-%d %H:%M}",
        ]


def state_of(client: MlflowClient, run: Run) -> RunState:
    """The state of a run."""
    experiment = client.get_experiment(run.info.experiment_id).name
    folder = folder_of(ROOT, experiment, run)
    epochs = [m.step for m in run.data._metric_objs if m.key.startswith(("train/", "val/"))]
    own = [m.step for m in run.data._metric_objs if m.key in ("train/loss", "val/loss")]
    return RunState(
        run,
        experiment,
        _state(run, folder),
        max(own or epochs, default=None),
        _best(client, run),
        (folder / "last.ckpt").is_file(),
    )


def _state(run: Run, folder: Path) -> str:
    file = read_run_file(folder)
    status = run.info.status
    if status == RUNNING and file is not None:
        status = file.status  # the store may not know the end yet
    if status != RUNNING:
        return WORDS.get(status, status.lower())
    if file is None:
        return "running?"
    return "running" if trains_elsewhere(folder) else "died"


def _best(client: MlflowClient, run: Run) -> str:
    """The best score of the monitored metric."""
    name = run.data.params.get("best_checkpoint.monitor", "val/accuracy")
    if name not in run.data.metrics:
        return ""
    values = [point.value for point in client.get_metric_history(run.info.run_id, name)]
    best = min if run.data.params.get("best_checkpoint.mode") == "min" else max
    return f"{name} {best(values):.4f}"
