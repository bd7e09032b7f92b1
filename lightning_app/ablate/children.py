"""Run the children of an ablation, each in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import torch
from mlflow.entities import Run

from lightning_app.ablate.plan import Child
from lightning_app.ablate.runs import Family
from lightning_app.compare.answers import COMMANDS, Split

GRACE = 30  # seconds that a run has to stop; what it has learned lies in `last.ckpt` anyway
TAIL = 12  # lines of its output that the failure of a run is reported with
Environment = dict[str, str]


class ChildFailed(RuntimeError):
    """A run of an ablation ended with an error; the text says with which."""


class Runner:
    """Starts `lightning_cli` as a user would, so many at once.

    Args:
        family: Whose children are run.
        split: What they are scored on; None if they are only trained.
        jobs: How many run at the same time.
    """

    def __init__(self, family: Family, split: Split | None, jobs: int) -> None:
        self.family, self.jobs = family, jobs
        self.split: Split | None = split
        self.logs = family.settings.root / "ablations" / family.parent_id
        self.logs.mkdir(parents=True, exist_ok=True)
        self._slots: SimpleQueue[Environment] = SimpleQueue()
        for environment in _environments(jobs):
            self._slots.put(environment)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run_all(
        self, children: Sequence[Child], done: Callable[[Child, float, ChildFailed | None], None]
    ) -> None:
        """Run what is not finished; the failure of one does not stop the others.

        Args:
            children: The runs.
            done: Told of each that has ended: how many seconds it took, and what was wrong.
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
        before = signal.signal(signal.SIGTERM, _exit)
        try:
            yield
        finally:
            self._stop()
            signal.signal(signal.SIGTERM, before)

    def _stop(self) -> None:
        """End the runs that are under way; they have a while to write their checkpoints."""
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
        run = self.family.find(child)
        if run is not None and self.family.is_done(run, self.split):
            return run
        environment = self._slots.get()
        try:
            return self._run(child, run, more, environment)
        finally:
            self._slots.put(environment)

    def _run(
        self, child: Child, run: Run | None, more: Sequence[str], environment: Environment
    ) -> Run:
        if run is None or run.info.status != "FINISHED":
            last = self.family.checkpoint(run, "last") if run else None
            begun = [] if last is None else ["--ckpt_path", str(last)]
            self._start("fit", child, [*self._identity(child), *more, *begun], environment)
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
        self._start(COMMANDS[self.split], child, score, environment)
        return run

    def _identity(self, child: Child) -> list[str]:
        tags = [f"{key}: {value!r}" for key, value in self.family.tags(child).items()]
        logger = "--trainer.logger.init_args"
        return [f"{logger}.run_name={child.name}", f"{logger}.tags={{{', '.join(tags)}}}"]

    def _timed(self, child: Child) -> tuple[float, ChildFailed | None]:
        started = time.perf_counter()
        try:
            self.run(child)
        except ChildFailed as failure:
            return time.perf_counter() - started, failure
        return time.perf_counter() - started, None

    def _start(
        self, command: str, child: Child, more: Sequence[str], environment: Environment
    ) -> None:
        if self._stopped:
            raise ChildFailed("it was not started.")
        file = self.logs / f"{child.key}.log"
        whole = [sys.executable, "-m", "lightning_app", command, *child.arguments, *more]
        with file.open("ab") as log:
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
            raise ChildFailed(
                f"`{command}` ended with status {status}; {file} ends so:\n{_tail(file)}"
            )


def end_processes(processes: Sequence[subprocess.Popen[bytes]], grace: float) -> None:
    """Ask processes to stop, and kill those that are still there after `grace` seconds."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + grace
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:  # Lightning heeds a signal only between two steps
            process.kill()
            process.wait()


def _exit(number: int, frame: Any) -> None:
    """A batch system asks us to stop."""
    raise SystemExit(128 + number)


def _environments(jobs: int) -> list[Environment]:
    """Share out the cores, and the GPUs if there are several."""
    own, gpus = dict(os.environ), torch.cuda.device_count()
    if jobs == 1:
        return [own]
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    shared = {"OMP_NUM_THREADS": threads, **own}
    visible = own.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus)))).split(",")
    return [
        {**shared, "CUDA_VISIBLE_DEVICES": visible[slot % gpus]} if gpus > 1 else shared
        for slot in range(jobs)
    ]


def _tail(file: Path) -> str:
    """The last lines, each as a terminal would show it: a progress bar overwrites itself."""
    lines = file.read_text("utf-8", "replace").replace("\r\n", "\n").split("\n")
    shown = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines]
    return "\n".join(f"  {line}" for line in [line for line in shown if line.strip()][-TAIL:])
