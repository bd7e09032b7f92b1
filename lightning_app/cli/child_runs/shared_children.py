"""Child runs that several starts share: each is trained once, on one of the machines."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from tqdm import tqdm

from lightning_app.cli.child_runs.child_run import ChildRun, ChildRunFailed
from lightning_app.cli.child_runs.claims import FAILED, FINISHED, Claims
from lightning_app.cli.child_runs.runner import Runner

POLL = 5.0  # seconds between two looks at what other processes train

Done = Callable[[ChildRun, float | None, ChildRunFailed | None], None]


class SharedChildren:
    """Runs children that no other start of the same command has, and waits for the others.

    Args:
        runner: Runs a child.
        done: Called with each run that has ended, how many seconds it took (None if it was trained
            before or elsewhere) and its failure.
    """

    def __init__(self, runner: Runner, done: Done) -> None:
        self.runner, self.done = runner, done
        self.claims = Claims(runner.parent.client, runner.parent.run_id)
        self._elsewhere: set[str] = set()  # keys of children that another process has

    def run(self, children: Sequence[ChildRun]) -> None:
        """Run what has not finished; a failed run does not stop the others."""
        runner = self.runner
        try:
            with runner.stopping(), ThreadPoolExecutor(runner.jobs) as pool:
                try:
                    while children := self._run_free(pool, children):
                        time.sleep(POLL)
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    runner.stop()
                    raise
        finally:
            self.claims.stop()  # when no thread is left that could claim another run

    def _run_free(
        self, pool: ThreadPoolExecutor, children: Sequence[ChildRun]
    ) -> Sequence[ChildRun]:
        """Run what no other process has; return the others, which may have to be run later."""
        started, rest = {pool.submit(self._run, child): child for child in children}, []
        for future in as_completed(started):
            if (result := future.result()) is None:
                rest.append(started[future])
            else:
                self.done(started[future], *result)
        return rest

    def _run(self, child: ChildRun) -> tuple[float | None, ChildRunFailed | None] | None:
        """Run a child; return how long it took and its failure, or None if another process has it.

        What another process has had meanwhile is finished now, or has failed there.
        """
        if self.runner.finished(child):
            return None, None
        if failure := self._failure_elsewhere(child):
            return None, failure
        if (other := self.claims.take(child.key)) is not None:
            if child.key not in self._elsewhere:
                tqdm.write(f"{child.name} is being trained on {other.host}.")
            self._elsewhere.add(child.key)
            return None
        started, failed = time.perf_counter(), None
        try:
            self.runner.run(child)
        except ChildRunFailed as failure:
            failed = failure
        if not self.runner.is_stopped:  # else others may take it over
            self.claims.end(child.key, FAILED if failed else FINISHED)
        return time.perf_counter() - started, failed

    def _failure_elsewhere(self, child: ChildRun) -> ChildRunFailed | None:
        claim = self.claims.latest(child.key) if child.key in self._elsewhere else None
        if claim is None or claim.end != FAILED:
            return None
        return ChildRunFailed(f"the output on {claim.host} says why.")
