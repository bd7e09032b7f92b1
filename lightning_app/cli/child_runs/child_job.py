"""A child run as a job of a cluster: trained and scored on the machine that the job gets."""

from dataclasses import dataclass
from typing import Any

from mlflow import MlflowClient

from lightning_app.cli.child_runs.checks import RunSettings
from lightning_app.cli.child_runs.child_run import ChildRun, ChildRunFailed
from lightning_app.cli.child_runs.parent_run import ParentRun
from lightning_app.store.locations import tracking_uri
from lightning_app.store.predictions import SplitName


@dataclass(frozen=True)
class ChildJob:
    """What a job does; submitit pickles it and calls it.

    Attributes:
        settings: Settings of the parent run.
        parent: Id of the parent run.
        kind: Kind of the parent run.
        splits: Images on which the child is scored.
        child: The child run.
        more: Arguments of `fit` that are not part of its key.
    """

    settings: RunSettings
    parent: str
    kind: str
    splits: tuple[SplitName, ...]
    child: ChildRun
    more: tuple[str, ...]

    def __call__(self) -> str | None:
        """Train and score the run; return why it failed, or None."""
        from lightning_app.cli.child_runs.runner import Runner  # which submits jobs

        client = MlflowClient(tracking_uri(self.settings.root))
        parent = ParentRun(client, client.get_run(self.parent), self.settings, self.kind)
        try:
            Runner(parent, self.splits, 1).run(self.child, *self.more)
        except ChildRunFailed as failure:
            return str(failure)
        return None

    def checkpoint(self) -> Any:
        """Queue the same again: at the limit of time, or if another job takes the machine."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)
