"""An MLflow client that a training survives: what the tracker does not take waits on disk."""

import logging
import os
import pickle
import time
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

log = logging.getLogger(__name__)

WRITES = {
    "log_artifact",
    "log_batch",
    "log_figure",
    "log_image",
    "log_inputs",
    "log_table",
    "log_text",
    "set_tag",
    "set_terminated",
}
RETRY_SECONDS = 60.0  # between two attempts to reach a tracker that was away

# MLflow's own seven retries would hold up a training step for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")


class PatientClient:
    """Passes every call on; a write that finds no tracker is kept in a file and sent later.

    Writes are sent in the order in which they were made, at the next write after
    `RETRY_SECONDS`, when the run ends, or when the next run starts on the same folder.

    Args:
        client: The client to call.
        spool: Folder for the writes that wait.
    """

    def __init__(self, client: MlflowClient, spool: Path) -> None:
        self._client = client
        self._spool = spool
        self._next_attempt = 0.0

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            return partial(self._write, name)
        return getattr(self._client, name)

    def send_waiting(self) -> int:
        """Try to send what waits; return how many writes still do.

        What the tracker refuses, because its run was deleted, say, is set aside as `*.refused`.
        """
        if not self._waiting():
            return 0
        with FileLock(self._spool / ".lock"):  # another process may be sending too
            waiting = self._waiting()
            for number, file in enumerate(waiting):
                name, args, kwargs = pickle.loads(file.read_bytes())
                try:
                    sent = self._try(name, args, kwargs)
                except MlflowException as error:
                    log.warning("The tracker refuses what waited in %s: %s", file, error)
                    file.replace(file.with_suffix(".refused"))
                    continue
                if not sent:
                    return len(waiting) - number
                file.unlink()
        return 0

    def _write(self, name: str, *args: Any, **kwargs: Any) -> None:
        if self._waiting() and (time.monotonic() < self._next_attempt or self.send_waiting()):
            self._keep(name, args, kwargs)
        elif not self._try(name, args, kwargs):
            log.warning("The tracker cannot be reached; what is logged waits in %s.", self._spool)
            self._keep(name, args, kwargs)

    def _try(self, name: str, args: Any, kwargs: Any) -> bool:
        """Whether the tracker took a write; what it refuses as wrong is an error as ever."""
        try:
            getattr(self._client, name)(*args, **kwargs)
        except (MlflowException, OSError) as error:
            if isinstance(error, MlflowException) and error.get_http_status_code() < 500:
                raise
            log.debug("%s failed", name, exc_info=True)
            self._next_attempt = time.monotonic() + RETRY_SECONDS
            return False
        return True

    def _keep(self, name: str, args: Any, kwargs: Any) -> None:
        self._spool.mkdir(parents=True, exist_ok=True)
        file = self._spool / f"{time.time_ns()}.pkl"
        unfinished = file.with_suffix(".tmp")
        unfinished.write_bytes(pickle.dumps((name, args, kwargs)))
        unfinished.replace(file)

    def _waiting(self) -> list[Path]:
        return sorted(self._spool.glob("*.pkl"))
