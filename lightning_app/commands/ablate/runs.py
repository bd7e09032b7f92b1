"""The parent run of an ablation, and what the store holds of its children."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from lightning_app.commands.ablate.checks import Settings
from lightning_app.commands.ablate.plan import Child, Plan
from lightning_app.store.locations import (
    checkpoint_folder,
    create_experiment,
    store_lock,
    tracking_uri,
)
from lightning_app.store.predictions import SplitName

ABLATION, KEY, VARIATION = "ablation", "ablation_key", "variation"  # tags


class Family:
    """A parent run and its children.

    Args:
        client: The store.
        parent: The parent.
        settings: Of the children.

    Attributes:
        failed: Whether one of them failed in the end, and the parent with it.
    """

    failed = False

    def __init__(self, client: Any, parent: Run, settings: Settings) -> None:
        self.client, self.parent, self.settings = client, parent, settings

    @property
    def parent_id(self) -> str:
        """Id of the parent."""
        return self.parent.info.run_id

    def find(self, child: Child) -> Run | None:
        """The newest run of a child, if it was ever started."""
        found = self.client.search_runs(
            [self.parent.info.experiment_id],
            f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{self.parent_id}' and tags.{KEY} = '{child.key}'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        return found[0] if found else None

    def is_done(self, run: Run, split: SplitName | None) -> bool:
        """Whether a child was trained, and scored on the split that is compared, if any."""
        if run.info.status != "FINISHED" or split is None:
            return run.info.status == "FINISHED"
        file = f"predictions/{split}.csv"
        names = [f.path for f in self.client.list_artifacts(run.info.run_id, "predictions")]
        return file in names

    def checkpoint(self, run: Run, name: str) -> Path | None:
        """A checkpoint of a child, if there is one."""
        folder = checkpoint_folder(self.settings.root, self.settings.experiment, run.info.run_id)
        file = folder / f"{name}.ckpt"
        return file if file.is_file() else None

    def tags(self, child: Child) -> dict[str, str]:
        """What ties a child to its parent, and its name."""
        return {
            MLFLOW_RUN_NAME: child.name,
            MLFLOW_PARENT_RUN_ID: self.parent_id,
            KEY: child.key,
            VARIATION: child.variation,
        }


@contextlib.contextmanager
def open_family(file: Path, plan: Plan, settings: Settings, fresh: bool) -> Iterator[Family]:
    """The parent run of an ablation: that of the last time, or a new one.

    It ends as FAILED if the block raises, and as KILLED if it is interrupted.

    Args:
        file: Of the ablation; it is what one ablation is told from another by.
        plan: What is compared.
        settings: Of the children.
        fresh: Begin anew, whatever was finished.

    Raises:
        ValueError: If the ablation is running already.
    """
    place = _place(file)
    digest = hashlib.sha256(place.encode()).hexdigest()[:8]
    lock = FileLock(settings.root / f".{ABLATION}-{file.stem}-{digest}.lock")
    settings.root.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(f"The ablation {file} is running already, in another process.") from None
    try:
        client, parent = _parent(file.stem, place, plan, settings, fresh)
        status = "FAILED"
        try:
            client.update_run(parent.info.run_id, status="RUNNING")
            family = Family(client, parent, settings)
            yield family
            status = "FAILED" if family.failed else "FINISHED"
        except (KeyboardInterrupt, SystemExit):
            status = "KILLED"
            raise
        finally:
            client.set_terminated(parent.info.run_id, status)
    finally:
        lock.release()


def _place(file: Path) -> str:
    """The file as seen from here, if it is below."""
    whole = file.resolve()
    here = Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix()


def _parent(
    name: str, place: str, plan: Plan, settings: Settings, fresh: bool
) -> tuple[MlflowClient, Run]:
    uri = tracking_uri(settings.root)
    with store_lock(settings.root):
        client = MlflowClient(uri)
        experiment = create_experiment(client, settings.experiment, settings.root, uri)
    query, newest = f"tags.{ABLATION} != ''", ["attributes.start_time DESC"]
    found = [] if fresh else client.search_runs([experiment], query, order_by=newest)
    same = [run for run in found if run.data.tags[ABLATION] == place]
    if same:
        parent = same[0]
    else:
        tags = {MLFLOW_RUN_NAME: f"ablation {name}", ABLATION: place}
        parent = client.create_run(experiment, tags=tags)
    # Tags, not parameters: they may be others the next time.
    for key, value in (("base", plan.configs), ("seeds", plan.seeds), ("split", [plan.split])):
        client.set_tag(parent.info.run_id, key, ", ".join(map(str, value)))
    return client, parent
