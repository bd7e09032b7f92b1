"""Process watch: when one of several processes fails, all of them end, and the reason is known."""

import json
import os
import re
import signal
import sys
import threading
import time
from typing import Any, NamedTuple

import torch.distributed as dist
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities.exceptions import SIGTERMException

KEY = "lightning_app/failure"  # in the store of the process group
POLL_SECONDS = 0.5
GRACE_SECONDS = 10.0  # that a process has to notice a failure of another one by itself
REASON_SECONDS = 3.0  # that a process waits for the reason of a connection that was lost
MAX_REASON = 500  # letters
UNKNOWN = -1
SILENT = "has ended without a reason; it may have been killed, perhaps because memory ran out"
LOST = re.compile(
    r"[Cc]onnection (closed|reset|refused)|Broken pipe|gloo|NCCL|ProcessGroup|[Ss]tore|Socket"
)


class Failure(NamedTuple):
    """Why the processes end.

    Attributes:
        rank: The process that failed first; `UNKNOWN` if it could not tell.
        reason: What happened to it.
    """

    rank: int
    reason: str

    def __str__(self) -> str:
        who = "Another process" if self.rank == UNKNOWN else f"Process {self.rank}"
        return f"{who} {self.reason}"


class ProcessWatch(Callback):
    """Ends all processes of a command within seconds when one of them fails.

    Lightning would wait in a barrier for the others, while these wait in the next exchange of
    gradients; or it would kill all at once, without a reason. Here the reason of the first failure
    goes into the store of the process group, which needs no exchange. From then on, nothing waits
    for another process. One that cannot notice, because it hangs in an exchange, is ended.
    """

    def __init__(self) -> None:
        self._failure: Failure | None = None
        self._ending = threading.Event()  # this process knows of the failure, or is done
        self._children: list[Any] = []
        self._started = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Watch the other processes, if there are any."""
        if trainer.world_size == 1 or self._started:
            return
        self._started, self._rank = True, trainer.global_rank
        self._store: Any = dist.distributed_c10d._get_default_store()
        self._take_over_children(trainer)
        threading.Thread(target=self._watch, args=(trainer,), daemon=True).start()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Tell the other processes why this one ends, and wait for none of them any more."""
        if not self._started:
            return
        self._ending.set()
        # A checkpoint is saved next, which ends with a barrier that the others may never reach.
        trainer.strategy.barrier = _no_barrier
        if _is_lost_connection(exception):
            self._tell(self._lost() or Failure(UNKNOWN, f"{SILENT} ({_first_line(exception)})"))
        else:
            self._tell(Failure(self._rank, _reason(exception)))

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Stop watching: the command is done."""
        self._ending.set()

    def failure_elsewhere(self) -> Failure | None:
        """The failure of another process because of which this one ends; None if there is none."""
        known = self._failure
        return known if known is not None and known.rank != self._rank else None

    def _take_over_children(self, trainer: Trainer) -> None:
        """Watch the child processes in place of Lightning, which would kill this one with them."""
        launcher: Any = trainer.strategy.launcher
        if observed := getattr(launcher, "procs", None):
            self._children = launcher.procs = [*observed]
            observed.clear()  # Lightning's thread holds this list, and ends when it is empty

    def _watch(self, trainer: Trainer) -> None:
        while not self._ending.wait(POLL_SECONDS):
            if (failure := self._known() or self._dead_child()) is not None:
                self._tell(failure)
                if not self._ending.wait(GRACE_SECONDS):
                    self._end(trainer)
                return

    def _end(self, trainer: Trainer) -> None:
        """End this process, whose main thread hangs in an exchange with one that is gone."""
        print(f"error: {self._failure}.", file=sys.stderr, flush=True)
        for logger in trainer.loggers if trainer.is_global_zero else []:
            logger.finalize("failed")
        for child in self._children:
            child.kill()
        os._exit(1)

    def _lost(self) -> Failure | None:
        """Whose failure has closed a connection; it may need a moment to tell why."""
        deadline = time.monotonic() + REASON_SECONDS
        while time.monotonic() < deadline:
            if (failure := self._known() or self._dead_child()) is not None:
                return failure
            time.sleep(POLL_SECONDS / 5)
        return None

    def _known(self) -> Failure | None:
        """The failure that a process has told; the store is in process 0 and ends with it."""
        try:
            found = self._store.check([KEY]) and self._store.get(KEY)
        except RuntimeError:
            return Failure(0, SILENT)
        return Failure(*json.loads(found)) if found else None

    def _dead_child(self) -> Failure | None:
        for rank, child in enumerate(self._children, start=1):
            code = child.poll()
            if code is not None and code < 0:
                name = signal.Signals(-code).name
                return Failure(rank, f"was killed by {name}, perhaps because memory ran out")
        return None

    def _tell(self, failure: Failure) -> None:
        """Put a failure into the store, unless there is an earlier one."""
        try:
            first = self._store.compare_set(KEY, "", json.dumps(failure))
            self._failure = Failure(*json.loads(first))
        except RuntimeError:  # process 0 is gone
            self._failure = failure


def _is_lost_connection(exception: BaseException) -> bool:
    return isinstance(exception, RuntimeError) and bool(LOST.search(str(exception)))


def _reason(exception: BaseException) -> str:
    if isinstance(exception, SIGTERMException | KeyboardInterrupt):
        return "was stopped"
    return f"failed with {_first_line(exception)}"


def _first_line(exception: BaseException) -> str:
    return f"{type(exception).__name__}: {exception}".splitlines()[0][:MAX_REASON]


def _no_barrier(*arguments: Any, **options: Any) -> None:
    """In place of a strategy's barrier."""
