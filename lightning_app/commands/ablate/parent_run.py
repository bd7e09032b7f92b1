"""Parent run of an ablation in MLflow, and its child runs in the store."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from datamodules.redaction import redact_text
from lightning_app.commands.ablate.checks import RunSettings
from lightning_app.commands.ablate.plan import ChildRun, Plan
from lightning_app.store.locations import (
    create_experiment,
    folder_of,
    store_lock,
    tracking_uri,
)
from lightning_app.store.predictions import SplitName

ABLATION, KEY, VARIATION = "ablation", "ablation_key", "variation"  # tags


class ParentRun:
    """A parent run; finds its child runs and their checkpoints.

    Args:
        client: The store.
        run: The parent run.
        settings: Settings of the child runs.

    Attributes:
        failed: Whether a child run failed, so that the parent run ends as failed, too.
    """

    failed = False

    def __init__(self, client: Any, run: Run, settings: RunSettings) -> None:
        self.client, self.run, self.settings = client, run, settings

    @property
    def run_id(self) -> str:
        """Id of the parent run."""
        return self.run.info.run_id

    @property
    def name(self) -> str:
        """Name of the parent run."""
        return str(self.run.info.run_name)

    def find(self, child: ChildRun) -> Run | None:
        """The newest run of a child in the store; None if it was never started."""
        found = self.client.search_runs(
            [self.run.info.experiment_id],
            f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{self.run_id}' and tags.{KEY} = '{child.key}'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        return found[0] if found else None

    def is_done(self, run: Run, split: SplitName | None) -> bool:
        """Whether a child run was trained, and scored on a split if there is one."""
        if run.info.status != "FINISHED" or split is None:
            return run.info.status == "FINISHED"
        file = f"predictions/{split}.csv"
        names = [f.path for f in self.client.list_artifacts(run.info.run_id, "predictions")]
        return file in names

    def checkpoint(self, run: Run, name: str) -> Path | None:
        """A checkpoint of a child run, `best` or `last`, if it exists."""
        folder = folder_of(self.settings.root, self.settings.experiment, run)
        file = folder / f"{name}.ckpt"
        return file if file.is_file() else None

    def tags(self, child: ChildRun) -> dict[str, str]:
        """Tags of a child run: its name, its parent and what identifies it."""
        return {
            MLFLOW_RUN_NAME: child.name,
            MLFLOW_PARENT_RUN_ID: self.run_id,
            KEY: child.key,
            VARIATION: child.variation,
        }


@contextlib.contextmanager
def open_parent_run(
    file: Path, plan: Plan, settings: RunSettings, fresh: bool
) -> Iterator[ParentRun]:
    """Open the parent run of an ablation: the one of an earlier start, or a new one.

    It ends as FAILED if the block raises, and as KILLED if the block is interrupted.

    Args:
        file: File of the ablation; its path identifies the ablation.
        plan: What is compared.
        settings: Settings of the child runs.
        fresh: Create a new parent run, so that nothing counts as finished.

    Raises:
        ValueError: If the ablation is already running.
    """
    place = _relative_path(file)
    digest = hashlib.sha256(place.encode()).hexdigest()[:8]
    lock = FileLock(settings.root / f".{ABLATION}-{file.stem}-{digest}.lock")
    settings.root.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(f"The ablation {file} is already running in another process.") from None
    try:
        client, run = _find_or_create(file.stem, place, plan, settings, fresh)
        status = "FAILED"
        try:
            client.update_run(run.info.run_id, status="RUNNING")
            parent = ParentRun(client, run, settings)
            yield parent
            status = "FAILED" if parent.failed else "FINISHED"
        except (KeyboardInterrupt, SystemExit):
            status = "KILLED"
            raise
        finally:
            client.set_terminated(run.info.run_id, status)
    finally:
        lock.release()


def _relative_path(file: Path) -> str:
    """Path from the current folder if the file is below it, else the absolute path."""
    whole = file.resolve()
    here = Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix()


def _find_or_create(
    name: str, place: str, plan: Plan, settings: RunSettings, fresh: bool
) -> tuple[MlflowClient, Run]:
    uri = tracking_uri(settings.root)
    with store_lock(settings.root):
        client = MlflowClient(uri)
        experiment = create_experiment(client, settings.experiment, settings.root, uri)
    query, newest = f"tags.{ABLATION} != ''", ["attributes.start_time DESC"]
    found = [] if fresh else client.search_runs([experiment], query, order_by=newest)
    same = [run for run in found if run.data.tags[ABLATION] == place]
    if same:
        run = same[0]
    else:
        tags = {MLFLOW_RUN_NAME: f"ablation {name}", ABLATION: place}
        run = client.create_run(experiment, tags=tags)
    # Tags, not parameters: they may change from one start to the next.
    for key, value in (("base", plan.configs), ("seeds", plan.seeds), ("split", [plan.split])):
        client.set_tag(run.info.run_id, key, redact_text(", ".join(map(str, value))))
    return client, run
