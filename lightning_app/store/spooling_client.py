"""Spooling MLflow client: writes are kept on disk while MLflow is unreachable."""

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

from datamodules.atomic_files import atomic_write

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
RETRY_SECONDS = 60.0  # between two attempts to reach MLflow

# MLflow's own seven retries would hold up a training step for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")


class SpoolingClient:
    """Forwards every call to an MLflow client; spools writes while MLflow is unreachable.

    Spooled writes are sent in their original order: at the first write after `RETRY_SECONDS`,
    at the end of the run, or when the next run starts with the same spool folder.

    Args:
        client: The MLflow client.
        spool: Folder for the spooled writes.
    """

    def __init__(self, client: MlflowClient, spool: Path) -> None:
        self._client = client
        self._spool = spool
        self._next_attempt = 0.0

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            return partial(self._write, name)
        return getattr(self._client, name)

    def send_spooled(self) -> int:
        """Send the spooled writes; return how many are left.

        A write that MLflow rejects, for example because its run was deleted, is kept as
        `*.refused`.
        """
        if not self._spooled():
            return 0
        with FileLock(self._spool / ".lock"):  # another process may be sending too
            spooled = self._spooled()
            for number, file in enumerate(spooled):
                name, args, kwargs = pickle.loads(file.read_bytes())
                try:
                    sent = self._try(name, args, kwargs)
                except MlflowException as error:
                    log.warning("MLflow rejected the spooled write %s: %s", file, error)
                    file.replace(file.with_suffix(".refused"))
                    continue
                if not sent:
                    return len(spooled) - number
                file.unlink()
        return 0

    def _write(self, name: str, *args: Any, **kwargs: Any) -> None:
        if self._spooled() and (time.monotonic() < self._next_attempt or self.send_spooled()):
            self._keep(name, args, kwargs)
        elif not self._try(name, args, kwargs):
            log.warning("MLflow is unreachable; writes are spooled in %s.", self._spool)
            self._keep(name, args, kwargs)

    def _try(self, name: str, args: Any, kwargs: Any) -> bool:
        """Whether a write succeeded; one that MLflow rejects as invalid raises."""
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
        with atomic_write(self._spool / f"{time.time_ns()}.pkl") as unfinished:
            unfinished.write_bytes(pickle.dumps((name, args, kwargs)))

    def _spooled(self) -> list[Path]:
        return sorted(self._spool.glob("*.pkl"))
