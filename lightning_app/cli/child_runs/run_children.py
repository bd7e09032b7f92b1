"""What every command with child runs does: open the parent, run the children, say how it ended."""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from tqdm import tqdm

from callbacks.stop_signals import INTERRUPTED
from lightning_app.cli.child_runs.child_run import ChildRun, ChildRunFailed
from lightning_app.cli.child_runs.parent_run import ParentRun
from lightning_app.cli.child_runs.runner import Runner
from lightning_app.cli.child_runs.shared_children import SharedChildren
from lightning_app.cli.summary import UI


class Progress:
    """Progress bar over runs, with a line for each run that has ended.

    Args:
        total: Number of runs.
        unit: What a run is called.
    """

    def __init__(self, total: int, unit: str) -> None:
        self.bar = tqdm(total=total, unit=unit)
        self.num_failed = 0

    def report(self, name: str, result: str, failure: ChildRunFailed | None) -> None:
        """Print how a run has ended."""
        self.bar.update()
        tqdm.write(f"{name}: {result}" if failure is None else f"{name} failed: {failure}")
        self.num_failed += failure is not None


def run_children(runner: Runner, children: Sequence[ChildRun]) -> int:
    """Run what has not finished, with a progress bar; return how many runs failed."""
    progress = Progress(len(children), "run")

    def done(child: ChildRun, seconds: float | None, failure: ChildRunFailed | None) -> None:
        result = "already finished" if seconds is None else f"{seconds / 60:.1f} min"
        progress.report(child.name, result, failure)

    with progress.bar:
        SharedChildren(runner, done).run(children)
    return progress.num_failed


def under_parent(
    opened: AbstractContextManager[ParentRun], work: Callable[[ParentRun], int]
) -> None:
    """Do some work under a parent run, and say how it ended.

    Args:
        opened: The parent run; see `open_parent_run`.
        work: Runs the children, and returns how many failed.

    Raises:
        SystemExit: With 1 if a run failed, with 130 after Ctrl-C.
    """
    try:
        with opened as parent:
            num_failed = work(parent)
            parent.failed = num_failed > 0
    except KeyboardInterrupt:
        print("\nInterrupted. The same command resumes.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    if num_failed:
        print(f"{num_failed} of the runs failed, see above; the same command tries them again.")
    print(f"Look at it  {UI}; the run is {parent.name}")
    if num_failed:
        raise SystemExit(1)
