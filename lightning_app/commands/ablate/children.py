"""Run the children of an ablation, each in a process of its own."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from mlflow.entities import Run
from mlflow.environment_variables import MLFLOW_RUN_CONTEXT
from tqdm import tqdm

from lightning_app.commands.ablate.plan import Child
from lightning_app.commands.ablate.processes import (
    Environment,
    end_processes,
    environments,
    exit_when_told,
    last_lines,
    locked,
)
from lightning_app.commands.ablate.runs import Family
from lightning_app.store.predictions import COMMANDS, SplitName

POLL = 0.5  # seconds between two looks at a process that is not ours
GRACE = 30  # seconds that a run has to stop; what it has learned lies in `last.ckpt` anyway


class ChildFailed(RuntimeError):
    """A run of an ablation ended with an error; the text says with which."""


Done = Callable[[Child, float | None, ChildFailed | None], None]


class Runner:
    """Starts `lightning_cli` as a user would, so many at once.

    Args:
        family: Whose children are run.
        split: What they are scored on; None if they are only trained.
        jobs: How many run at the same time.
    """

    def __init__(self, family: Family, split: SplitName | None, jobs: int) -> None:
        self.family, self.jobs = family, jobs
        self.split: SplitName | None = split
        self.logs = family.settings.root / "ablations" / family.parent_id
        self.logs.mkdir(parents=True, exist_ok=True)
        self._slots: SimpleQueue[Environment] = SimpleQueue()
        for environment in environments(jobs):
            self._slots.put(environment)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run_all(
        self,
        children: Sequence[Child],
        done: Callable[[Child, float | None, ChildFailed | None], None],
    ) -> None:
        """Run what is not finished; the failure of one does not stop the others.

        Args:
            children: The runs.
            done: Told of each that has ended: how many seconds it took, None if it was finished
                already, and what was wrong.
        """
        with self.stopping(), ThreadPoolExecutor(self.jobs) as pool:
            started = {pool.submit(self._timed, child): child for child in children}
            try:
                for future in as_completed(started):
                    done(started[future], *future.result())
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._stop()
                raise

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """Leave no process behind, however the block ends."""
        before = signal.signal(signal.SIGTERM, exit_when_told)
        try:
            yield
        finally:
            self._stop()
            signal.signal(signal.SIGTERM, before)

    def _stop(self) -> None:
        """End the runs that are under way; they have a while to write their checkpoints."""
        if self._running and not self._stopped:
            tqdm.write("Stopping; the runs write their checkpoints first.")
        self._stopped = True
        end_processes(list(self._running), GRACE)

    def run(self, child: Child, *more: str) -> Run:
        """Train a child and score it, or do what is left of that.

        Args:
            child: The run.
            more: Arguments of `fit` that do not make another run of it.

        Raises:
            ChildFailed: If it ends with an error.
        """
        environment = self._slots.get()
        try:
            with self._log(child) as log:
                return self._finished(child) or self._run(child, more, environment, log)
        finally:
            self._slots.put(environment)

    @contextmanager
    def _log(self, child: Child) -> Iterator[BinaryIO]:
        """The file that a run writes to; waits for a process that still does.

        The process outlives us if we are killed. It holds the lock, as it shares the open file.
        """
        file = self.logs / f"{child.key}.log"
        with file.open("ab") as log:
            if not locked(log):
                tqdm.write(f"{child.name} is still running since an earlier start; waiting for it.")
            while not locked(log) and not self._stopped:
                time.sleep(POLL)
            yield log

    def _run(
        self,
        child: Child,
        more: Sequence[str],
        environment: Environment,
        log: BinaryIO,
    ) -> Run:
        run = self.family.find(child)
        if run is None or run.info.status != "FINISHED":
            last = self.family.checkpoint(run, "last") if run else None
            begun = [] if last is None else ["--ckpt_path", str(last)]
            named = {**environment, MLFLOW_RUN_CONTEXT.name: json.dumps(self.family.tags(child))}
            self._start("fit", child, [*more, *begun], named, log)
            run = self.family.find(child)
        if run is None:
            raise ChildFailed("it left no run in the store.")
        if self.split is None:
            return run
        chosen = self.family.checkpoint(run, "best") or self.family.checkpoint(run, "last")
        if chosen is None:
            raise ChildFailed("it left no checkpoint.")
        # The fit has drawn the validation images already.
        pictures = ["--pictures.budget=0"] if self.split == "val" else []
        score = ["--ckpt_path", str(chosen), *pictures]
        self._start(COMMANDS[self.split], child, score, environment, log)
        return run

    def _timed(self, child: Child) -> tuple[float | None, ChildFailed | None]:
        if self._finished(child):
            return None, None
        started, failed = time.perf_counter(), None
        try:
            self.run(child)
        except ChildFailed as failure:
            failed = failure
        return time.perf_counter() - started, failed

    def _finished(self, child: Child) -> Run | None:
        run = self.family.find(child)
        return run if run is not None and self.family.is_done(run, self.split) else None

    def _start(
        self,
        command: str,
        child: Child,
        more: Sequence[str],
        environment: Environment,
        log: BinaryIO,
    ) -> None:
        if self._stopped:
            raise ChildFailed("it was not started.")
        whole = [sys.executable, "-m", "lightning_app", command, *child.arguments, *more]
        # In a session of its own: an interrupt of ours reaches it once, as a request to stop.
        process = subprocess.Popen(
            whole, stdout=log, stderr=log, env=environment, start_new_session=True
        )
        self._running.add(process)
        if self._stopped:  # since it was asked above
            process.terminate()
        try:
            status = process.wait()
        finally:
            self._running.discard(process)
        if status:
            file = Path(log.name)
            raise ChildFailed(
                f"`{command}` ended with status {status}; {file} ends so:\n{last_lines(file)}"
            )
