"""Claims of child runs: of several starts on several machines, one trains each run."""

import contextlib
import json
import os
import socket
import threading
import time
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from lightning_app.store.run_file import BEAT_SECONDS, SILENT_SECONDS, born
from lightning_app.store.stored_run import CLAIM

FINISHED, FAILED, STOPPED = "finished", "failed", "stopped"  # ends of a claim


class Claim(NamedTuple):
    """Who trains a child run, or has trained it.

    Attributes:
        number: How many starts have claimed the run, with this one.
        host: Machine of the process.
        process: Its id.
        born: When that process started, which tells it from a later one of the same id.
        beat: When it was alive for the last time, in seconds since 1970.
        end: How the claim ended; empty while the run is being trained.
    """

    number: int
    host: str
    process: int
    born: float
    beat: float
    end: str = ""

    @property
    def is_live(self) -> bool:
        """Whether the run is being trained: by a process that is there, or is heard of."""
        if self.end:
            return False
        if self.host == socket.gethostname():
            return self.born == born(self.process)
        return time.time() - self.beat < SILENT_SECONDS


class Claims:
    """Claims of the children of a parent run, and their heartbeat.

    A claim is a parameter of the parent run: MLflow sets a parameter once, so of two processes one
    gets it. A tag has its heartbeat and its end. A claim that has ended, or was not heard of for
    `SILENT_SECONDS`, is followed by the next one.

    Args:
        client: The store.
        run_id: Id of the parent run.
    """

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self.client, self.run_id = client, run_id
        self._held: dict[str, int] = {}
        self._stopped = threading.Event()

    def latest(self, key: str) -> Claim | None:
        """The latest claim of a child run; None if there was none."""
        return _latest(self.client.get_run(self.run_id), key)

    def take(self, key: str) -> Claim | None:
        """Claim a child run.

        Returns:
            None if this process has it now; else the claim of the process that has it.
        """
        known = self.latest(key)
        if known is not None and known.is_live:
            return known
        number, own = known.number + 1 if known else 1, os.getpid()
        mine = {"host": socket.gethostname(), "process": own, "born": born(own)}
        text = json.dumps({**mine, "beat": round(time.time(), 3)})
        try:
            self.client.log_param(self.run_id, f"{CLAIM}{key}.{number}", text)
        except MlflowException:
            other = self.latest(key)
            if other is None or other.number < number:
                raise  # nobody else has it: the store does not answer
            return other
        self._hold(key, number)
        return None

    def end(self, key: str, how: str) -> None:
        """End a claim of this process, unless it has ended."""
        if (number := self._held.pop(key, None)) is not None:
            self._say(key, number, how)

    def stop(self) -> None:
        """End all claims of this process, which stops; others may take over."""
        self._stopped.set()
        for key in list(self._held):
            with contextlib.suppress(MlflowException):  # a claim without further signs ends, too
                self.end(key, STOPPED)

    def _hold(self, key: str, number: int) -> None:
        self._held[key] = number
        if len(self._held) == 1 and not any(t.name == self._name for t in threading.enumerate()):
            threading.Thread(target=self._beat, name=self._name, daemon=True).start()

    @property
    def _name(self) -> str:
        return f"claims of {self.run_id}"

    def _beat(self) -> None:
        while not self._stopped.wait(BEAT_SECONDS):
            for key, number in list(self._held.items()):
                with contextlib.suppress(MlflowException):  # the next sign may get through
                    self._say(key, number)

    def _say(self, key: str, number: int, end: str = "") -> None:
        state = {"number": number, "beat": round(time.time(), 3), "end": end}
        self.client.set_tag(self.run_id, f"{CLAIM}{key}", json.dumps(state))


def _latest(run: Run, key: str) -> Claim | None:
    start = f"{CLAIM}{key}."
    numbers = [int(name.removeprefix(start)) for name in run.data.params if name.startswith(start)]
    if not numbers:
        return None
    number = max(numbers)
    claim = Claim(number, **json.loads(run.data.params[f"{start}{number}"]))
    state = json.loads(run.data.tags.get(f"{CLAIM}{key}", "{}"))
    if state.get("number") != number:
        return claim
    return claim._replace(beat=max(claim.beat, state["beat"]), end=state["end"])
