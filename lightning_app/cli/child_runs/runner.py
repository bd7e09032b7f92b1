"""Runner of child runs, each in a process of its own."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from mlflow.entities import Run
from mlflow.environment_variables import MLFLOW_RUN_CONTEXT
from tqdm import tqdm

from lightning_app.cli.child_runs.child_job import ChildJob
from lightning_app.cli.child_runs.child_run import ChildRun, ChildRunFailed
from lightning_app.cli.child_runs.launcher import Launcher, run_job
from lightning_app.cli.child_runs.parent_process import ENDS_WITH_STDIN, lifeline
from lightning_app.cli.child_runs.parent_run import ParentRun
from lightning_app.cli.child_runs.processes import (
    Environment,
    end_processes,
    environments,
    exit_on_sigterm,
    last_lines,
    try_lock,
)
from lightning_app.store.predictions import COMMANDS, SplitName

POLL = 0.5  # seconds between two looks at a process that another start has left
NO_MODEL = "--log_model=false"  # most variations are never used; `promote` logs one that is
LOGS = {"ablation": "ablations"}  # folders of the logs that have another name than the kind
JOBS = "jobs"  # folder of submitit's files, beside the logs
MAX_JOBS = 64  # jobs of a cluster that wait or run at the same time
GRACE = 30  # seconds that a run has to stop; its last epoch is in `last.ckpt` in any case


class Runner:
    """Runs `lightning_cli` as a user would, several at a time.

    Args:
        parent: Parent of the runs.
        splits: Images on which they are scored; none if they are only trained.
        jobs: Number of runs at the same time; None for one, or for all if a launcher has them.
        launcher: Has each run trained by a job of a cluster; None for processes of this machine.

    Attributes:
        is_stopped: Whether the active runs were stopped.
    """

    def __init__(
        self,
        parent: ParentRun,
        splits: Sequence[SplitName],
        jobs: int | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self.parent, self.splits, self.launcher = parent, tuple(splits), launcher
        self.jobs = jobs or (MAX_JOBS if launcher else 1)
        self.logs = parent.settings.root / LOGS.get(parent.kind, parent.kind) / parent.run_id
        self.logs.mkdir(parents=True, exist_ok=True)
        self._slots: SimpleQueue[Environment] = SimpleQueue()
        for environment in environments(self.jobs):
            self._slots.put(environment)
        self._running: set[subprocess.Popen[bytes]] = set()
        self.is_stopped = False

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """Leave no process behind, however the block ends."""
        before = signal.signal(signal.SIGTERM, exit_on_sigterm)
        try:
            yield
        finally:
            self.stop()
            signal.signal(signal.SIGTERM, before)

    def stop(self) -> None:
        """Stop the active runs, with time for them to write their checkpoints."""
        if self._running and not self.is_stopped:
            tqdm.write("Stopping; the active runs write their checkpoints first.")
        self.is_stopped = True
        end_processes(list(self._running), GRACE)

    def run(self, child: ChildRun, *more: str) -> Run:
        """Train and score a run, or do what is left of it.

        Args:
            child: The run.
            more: Arguments of `fit` that are not part of the run's key.

        Raises:
            ChildRunFailed: If it ends with an error.
        """
        if self.launcher is not None:
            return self._launch(self.launcher, child, more)
        environment = self._slots.get()
        try:
            with self._log(child) as log:
                return self.finished(child) or self._run(child, more, environment, log)
        finally:
            self._slots.put(environment)

    def start(self, command: str, child: ChildRun, *more: str) -> None:
        """Run another command, with the arguments and the log of a child, and more arguments."""
        environment = self._slots.get()
        try:
            with self.stopping(), self._log(child) as log:
                self._start(command, child, more, environment, log)
        finally:
            self._slots.put(environment)

    @contextmanager
    def _log(self, child: ChildRun) -> Iterator[BinaryIO]:
        """Open and lock the log file of a run; wait for a process that still writes to it.

        If this process is killed, a run ends its step and writes its checkpoint. It shares the open
        file, and so it keeps the lock until then.
        """
        file = self.logs / f"{child.key}.log"
        with file.open("ab") as log:
            if not try_lock(log):
                tqdm.write(f"{child.name} is still running from an earlier start; waiting for it.")
            while not try_lock(log) and not self.is_stopped:
                time.sleep(POLL)
            yield log

    def _run(
        self,
        child: ChildRun,
        more: Sequence[str],
        environment: Environment,
        log: BinaryIO,
    ) -> Run:
        run = self.parent.find(child)
        if run is None or run.info.status != "FINISHED":
            last = self.parent.checkpoint(run, "last") if run else None
            resume = [] if last is None else ["--ckpt_path", str(last)]
            named = {**environment, MLFLOW_RUN_CONTEXT.name: json.dumps(self.parent.tags(child))}
            self._start("fit", child, [*more, *resume, NO_MODEL], named, log)
            run = self.parent.find(child)
        if run is None:
            raise ChildRunFailed("it left no run in the store.")
        for split in self.parent.unscored(run, self.splits):
            chosen = self.parent.checkpoint(run, "best") or self.parent.checkpoint(run, "last")
            if chosen is None:
                raise ChildRunFailed("it left no checkpoint.")
            # The fit has already drawn its pictures of the validation images.
            pictures = ["--pictures.budget=0"] if split == "val" else []
            score = ["--ckpt_path", str(chosen), *pictures]
            self._start(COMMANDS[split], child, score, environment, log)
        return run

    def _launch(self, launcher: Launcher, child: ChildRun, more: Sequence[str]) -> Run:
        """Have a job train and score a run."""
        parent = self.parent
        about = (parent.settings, parent.run_id, parent.kind, self.splits)
        job = ChildJob(*about, child, tuple(more))
        failure = run_job(launcher, job, self.logs / JOBS, child.name, lambda: self.is_stopped)
        run = parent.find(child)
        if failure is not None or run is None:
            raise ChildRunFailed(failure or "it left no run in the store.")
        return run

    def finished(self, child: ChildRun) -> Run | None:
        """The run of a child that was trained and scored; None if something is left to do."""
        run = self.parent.find(child)
        return run if run is not None and self.parent.is_done(run, self.splits) else None

    def _start(
        self,
        command: str,
        child: ChildRun,
        more: Sequence[str],
        environment: Environment,
        log: BinaryIO,
    ) -> None:
        if self.is_stopped:
            raise ChildRunFailed("it was not started.")
        whole = [sys.executable, "-m", "lightning_app", command, *child.arguments, *more]
        # A session of its own: Ctrl-C does not reach the run, which gets one request to stop.
        process = subprocess.Popen(
            whole,
            stdin=lifeline(),
            stdout=log,
            stderr=log,
            env={**environment, ENDS_WITH_STDIN: "1"},
            start_new_session=True,
        )
        self._running.add(process)
        if self.is_stopped:  # meanwhile
            process.terminate()
        try:
            status = process.wait()
        finally:
            self._running.discard(process)
        if status:
            file = Path(log.name)
            raise ChildRunFailed(
                f"`{command}` ended with status {status}; the last lines of {file}:\n"
                f"{last_lines(file)}"
            )
