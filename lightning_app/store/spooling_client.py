"""Spooling MLflow client: writes wait on the disk until a thread has sent them."""

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from datamodules.redaction import redact
from lightning_app.store.spool import Spool
from lightning_app.store.spooled_write import WRITES, encode
from lightning_app.store.write_sender import WriteSender

log = logging.getLogger(__name__)

TEXTS = ("log_text", "set_tag")  # whose arguments may hold a secret of the user
READ_SECONDS = 15.0  # that a read waits for the writes before it
CLOSE_SECONDS = 20.0  # that the end of a run waits for its writes

# MLflow's own seven retries take minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")


class SpoolingClient:
    """An MLflow client whose writes never wait for MLflow.

    Each write becomes a file, and a thread sends the files in their order; see `WriteSender`. So
    nothing is lost if MLflow is away, slow or locked, or if this process is killed: the next run
    with the same spool sends them, and so does `lightning_cli sync`. Reads wait for the writes
    before them.

    Args:
        client: The MLflow client.
        spool: Folder for the spooled writes.
    """

    def __init__(self, client: MlflowClient, spool: Path) -> None:
        self._client, self._spool = client, Spool(spool)
        self._sender, self._closed = WriteSender(client, self._spool), False

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            return partial(self._write, name)
        found = getattr(self._client, name)
        return partial(self._read, found) if callable(found) else found

    def send_spooled(self) -> int:
        """Send the spooled writes now; return how many are left."""
        return self._sender.send()

    def send_in_background(self) -> None:
        """Send what an earlier process has left, without waiting for it."""
        self._sender.start()

    def close(self) -> int:
        """Wait for the writes, for a limited time once; return how many are left."""
        if self._sender.wait(CLOSE_SECONDS, patient=not self._closed):
            self._spool.remove_if_empty()
        self._closed = True
        return len(self._spool.waiting())

    def _write(self, name: str, *args: Any, **kwargs: Any) -> None:
        if name in TEXTS:
            args, kwargs = redact([*args]), redact(kwargs)
        try:
            self._spool.add(encode(name, args, kwargs))
        except (OSError, TypeError) as error:  # a full disk, or an argument of a user's callback
            self._write_directly(name, args, kwargs, error)
        else:
            self._sender.start()

    def _write_directly(self, name: str, args: Any, kwargs: Any, why: Exception) -> None:
        """Send a write that cannot be spooled, after those that wait."""
        try:
            self._read(getattr(self._client, name), *args, **kwargs)
        except Exception as error:  # of any kind: it must not end a training
            log.warning("%s is lost: %s, and MLflow did not take it: %s.", name, why, error)

    def _read(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._sender.wait(READ_SECONDS, patient=False):
            raise MlflowException(
                f"MLflow does not answer; {len(self._spool.waiting())} writes wait in "
                f"{self._spool.folder}"
            )
        return call(*args, **kwargs)
