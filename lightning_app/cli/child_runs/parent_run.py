"""Parent run in MLflow, and its child runs in the store."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from datamodules.redaction import redact_text
from lightning_app.cli.child_runs.checks import RunSettings
from lightning_app.cli.child_runs.child_run import ChildRun
from lightning_app.store.artifacts import files_below
from lightning_app.store.locations import (
    create_experiment,
    folder_of,
    is_local,
    store_lock,
    tracking_uri,
)
from lightning_app.store.predictions import SplitName
from lightning_app.store.run_file import FINISHED
from lightning_app.store.runs import BEST
from lightning_app.store.uploaded_checkpoint import downloaded

SETTLE = 2.0  # seconds until another machine sees a run that was created
TOGETHER = 60.0  # seconds within which two machines have created a parent run at the same time
KEY, VARIATION = "ablation_key", "variation"  # tags; earlier versions had them for ablations only


class Identity(NamedTuple):
    """What identifies a parent run, so that the same command finds it again.

    Attributes:
        kind: What its runs are: `ablation` or `folds`; a tag of the parent run.
        place: The value of that tag: another one is another parent run.
        title: The end of its name, behind the kind.
    """

    kind: str
    place: str
    title: str


class ParentRun:
    """A parent run; finds its child runs and their checkpoints.

    Args:
        client: The store.
        run: The parent run.
        settings: Settings of the child runs.
        kind: See `Identity`.

    Attributes:
        failed: Whether a child run failed, so that the parent run ends as failed, too.
    """

    failed = False

    def __init__(self, client: Any, run: Run, settings: RunSettings, kind: str) -> None:
        self.client, self.run, self.settings, self.kind = client, run, settings, kind

    @property
    def run_id(self) -> str:
        """Id of the parent run."""
        return self.run.info.run_id

    @property
    def name(self) -> str:
        """Name of the parent run."""
        return str(self.run.info.run_name)

    def find(self, child: ChildRun) -> Run | None:
        """The newest finished run of a child, or else the newest; None if it was never started."""
        found = self.client.search_runs(
            [self.run.info.experiment_id],
            f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{self.run_id}' and tags.{KEY} = '{child.key}'",
            order_by=["attributes.start_time DESC"],
        )
        finished = (run for run in found if run.info.status == FINISHED)
        return next(finished, next(iter(found), None))

    def is_done(self, run: Run, splits: Sequence[SplitName]) -> bool:
        """Whether a child run was trained, and scored on some splits."""
        return run.info.status == FINISHED and not self.unscored(run, splits)

    def unscored(self, run: Run, splits: Sequence[SplitName]) -> list[SplitName]:
        """Those of the splits that a child run was not scored on."""
        if not splits:
            return []
        files = files_below(self.client, run, "predictions")
        return [split for split in splits if f"predictions/{split}.csv" not in files]

    def checkpoint(self, run: Run, name: str) -> Path | None:
        """A checkpoint of a child run, `best` or `last`, if it is here or was uploaded."""
        folder = folder_of(self.settings.root, self.settings.experiment, run)
        file = folder / f"{name}.ckpt"
        if file.is_file():
            return file
        return downloaded(self.client, run, self.settings.root) if name == BEST else None

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
    identity: Identity, tags: Mapping[str, Any], settings: RunSettings, fresh: bool
) -> Iterator[ParentRun]:
    """Open a parent run: the one of an earlier start, or a new one.

    It ends as FAILED if the block raises, and as KILLED if the block is interrupted. Several
    processes on several machines may have it open, and share its children; see `Claims`.

    Args:
        identity: What identifies it.
        tags: Its other tags, which may change from one start to the next.
        settings: Settings of the child runs.
        fresh: Create a new parent run, so that nothing counts as finished.
    """
    client, run = _find_or_create(identity, settings, fresh)
    for key, value in tags.items():
        client.set_tag(run.info.run_id, key, redact_text(str(value)))
    status = "FAILED"
    try:
        client.update_run(run.info.run_id, status="RUNNING")
        parent = ParentRun(client, run, settings, identity.kind)
        yield parent
        status = "FAILED" if parent.failed else FINISHED
    except (KeyboardInterrupt, SystemExit):
        status = "KILLED"
        raise
    finally:
        client.set_terminated(run.info.run_id, status)


def place_of_file(file: Path) -> str:
    """Path from the current folder if the file is below it, else the absolute path."""
    whole = file.resolve()
    here = Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix()


def _find_or_create(
    identity: Identity, settings: RunSettings, fresh: bool
) -> tuple[MlflowClient, Run]:
    uri = tracking_uri(settings.root)
    with store_lock(settings.root):
        client = MlflowClient(uri)
        experiment = create_experiment(client, settings.experiment, settings.root, uri)
        if not fresh and (found := _known(client, experiment, identity)):
            return client, found[0]
        name = f"{identity.kind} {identity.title}"
        tags = {MLFLOW_RUN_NAME: name, identity.kind: identity.place}
        run = client.create_run(experiment, tags=tags)
    if fresh or is_local(uri):
        return client, run
    time.sleep(SETTLE)  # another machine may have created it, too: both use the earlier one
    latest = run.info.start_time - 1000 * TOGETHER
    found = _known(client, experiment, identity)
    first = min(
        (each for each in found if each.info.start_time >= latest),
        key=lambda each: (each.info.start_time, each.info.run_id),
    )
    if first.info.run_id != run.info.run_id:
        client.delete_run(run.info.run_id)
    return client, first


def _known(client: MlflowClient, experiment: str, identity: Identity) -> list[Run]:
    """The parent runs of earlier starts, the newest first."""
    query, newest = f"tags.{identity.kind} != ''", ["attributes.start_time DESC"]
    found = client.search_runs([experiment], query, order_by=newest)
    return [run for run in found if run.data.tags[identity.kind] == identity.place]
