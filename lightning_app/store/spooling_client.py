"""Spooling MLflow client: writes are kept on disk while MLflow is unreachable."""

import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from datamodules.atomic_files import atomic_write
from datamodules.redaction import redact
from lightning_app.store.spooled_write import WRITES, SpooledWrite, decode, encode

log = logging.getLogger(__name__)

TEXTS = ("log_text", "set_tag")  # whose arguments may hold a secret of the user
ENDING = ".json"  # of spooled writes
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
        `*.refused`; one that is damaged, as `*.damaged`.
        """
        self._set_pickles_aside()
        if not self._spooled():
            return 0
        with FileLock(self._spool / ".lock"):  # another process may be sending too
            spooled = self._spooled()
            for number, file in enumerate(spooled):
                if (write := self._read(file)) is None:
                    continue
                try:
                    sent = self._try(write)
                except Exception as error:  # of MLflow, about what it was given
                    log.warning("MLflow rejected the spooled write %s: %s", file, error)
                    _set_aside(file, ".refused")
                    continue
                if not sent:
                    return len(spooled) - number
                file.unlink()
        return 0

    def _write(self, name: str, *args: Any, **kwargs: Any) -> None:
        if name in TEXTS:
            args, kwargs = redact([*args]), redact(kwargs)
        if self._spooled() and (time.monotonic() < self._next_attempt or self.send_spooled()):
            self._keep(name, args, kwargs)
        elif not self._reaches(partial(getattr(self._client, name), *args, **kwargs)):
            log.warning("MLflow is unreachable; writes are spooled in %s.", self._spool)
            self._keep(name, args, kwargs)

    def _try(self, write: SpooledWrite) -> bool:
        return self._reaches(partial(write.send, self._client))

    def _reaches(self, call: Callable[[], Any]) -> bool:
        """Whether a call reached MLflow; one that MLflow rejects as invalid raises."""
        try:
            call()
        except (MlflowException, OSError) as error:
            if isinstance(error, MlflowException) and error.get_http_status_code() < 500:
                raise
            log.debug("%s failed", call, exc_info=True)
            self._next_attempt = time.monotonic() + RETRY_SECONDS
            return False
        return True

    def _keep(self, name: str, args: Any, kwargs: Any) -> None:
        try:
            content = encode(name, args, kwargs)
        except (OSError, TypeError) as error:  # of a callback of the user
            log.warning("%s is lost while MLflow is unreachable: %s.", name, error)
            return
        with atomic_write(self._spool / f"{time.time_ns()}{ENDING}") as unfinished:
            unfinished.write_bytes(content)

    def _read(self, file: Path) -> SpooledWrite | None:
        """A spooled write; None if it is damaged, and was set aside."""
        try:
            return decode(file.read_bytes())
        except (OSError, ValueError) as error:
            log.warning("%s is not sent, and kept as *.damaged: %s.", file, error)
            _set_aside(file, ".damaged")
            return None

    def _set_pickles_aside(self) -> None:
        """Keep the writes of earlier versions, without reading them: a pickle can run any code."""
        if pickles := [*self._spool.glob("*.pkl")]:
            log.warning(
                "%d writes in %s are pickles of an earlier version, which can run code: they are "
                "not sent, and kept as *.pkl.unread.",
                len(pickles),
                self._spool,
            )
        for file in pickles:
            _set_aside(file, ".pkl.unread")

    def _spooled(self) -> list[Path]:
        return sorted(file for file in self._spool.glob(f"*{ENDING}") if file.is_file())


def _set_aside(file: Path, ending: str) -> None:
    with suppress(OSError):  # the folder may be read-only
        file.replace(file.with_suffix(ending))
