"""Write sender: a thread that sends what waits in a spool, so that training never does."""

import logging
import threading
import time
from typing import Any

from filelock import Timeout

from datamodules.redaction import redact_text
from lightning_app.store.refusals import is_refusal, reason_of
from lightning_app.store.spool import REFUSED, Spool, set_aside

log = logging.getLogger(__name__)

FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0  # seconds between two attempts to reach MLflow
PATIENCE = 60.0  # seconds after a wait in vain, in which reads do not wait again


class WriteSender:
    """Sends the writes of a spool in their order, in a thread that ends when none is left.

    While MLflow does not answer, the thread tries again after 1, 2, 4, … 60 seconds. A write that
    MLflow refuses, for example because the run was deleted, is kept as `*.refused`. There is one
    line on the console for each of the two.

    Args:
        client: An `MlflowClient`.
        spool: Where the writes wait.

    Attributes:
        is_away: Whether MLflow did not answer the last attempt.
    """

    def __init__(self, client: Any, spool: Spool) -> None:
        self.client, self.spool, self.is_away = client, spool, False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._hurry = self._said_refused = False
        self._gave_up = -PATIENCE  # when somebody last waited in vain

    def start(self) -> None:
        """Send what waits, in the background."""
        with self._changed:
            # A forked process has the object, but not the thread.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="mlflow", daemon=True)
                self._thread.start()

    def wait(self, seconds: float, patient: bool = True) -> bool:
        """Wait until all is sent, for a limited time; False if something still waits.

        Args:
            seconds: The limit.
            patient: Whether to try again now if MLflow did not answer shortly before.
        """
        if not self.spool.waiting():
            return True
        if not patient and time.monotonic() - self._gave_up < PATIENCE:
            return False
        self.start()
        with self._changed:
            self._hurry, deadline = True, time.monotonic() + seconds
            self._changed.notify_all()
            while self.spool.waiting() and (self._hurry or not self.is_away):
                left = deadline - time.monotonic()
                if left <= 0 or (not self._changed.wait(min(left, 1.0)) and self._thread is None):
                    break
        if not self.spool.waiting():
            return True
        self._gave_up = time.monotonic()
        return False

    def send(self, lock_seconds: float = -1) -> int:
        """Send what waits now; return how many writes are left.

        Args:
            lock_seconds: Limit of the wait for another process that is sending; -1 for none.
        """
        self.spool.set_pickles_aside()
        if not (files := self.spool.waiting()):
            return 0
        try:
            with self.spool.lock(lock_seconds):
                files = self.spool.waiting()
                for number, file in enumerate(files):
                    if not self._send(file):
                        return len(files) - number
        except Timeout:
            return len(files)
        return 0

    def _send(self, file: Any) -> bool:
        """Send a write, or set it aside; False if MLflow does not answer."""
        if (write := self.spool.read(file)) is None:
            return True
        try:
            write.send(self.client)
        except Exception as error:  # of any kind: nobody else would catch it
            if not is_refusal(error):
                self._say_away(error)
                return False
            self._say_refused(error)
            set_aside(file, REFUSED)
            return True
        self.is_away = False
        file.unlink(missing_ok=True)
        return True

    def _run(self) -> None:
        delay = FIRST_DELAY
        while True:
            try:
                left = self.send()
            except OSError as error:  # of the spool itself, such as a full disk
                left = 1
                log.debug("The spool cannot be read", exc_info=error)
            with self._changed:
                self._hurry = False
                self._changed.notify_all()
                if left == 0 and not self.spool.waiting():
                    self._thread = None
                    return
                if left:
                    self._changed.wait_for(lambda: self._hurry, delay)
            delay = min(2 * delay, LONGEST_DELAY) if left else FIRST_DELAY

    def _say_away(self, error: Exception) -> None:
        log.debug("MLflow does not answer", exc_info=error)
        if not self.is_away:
            log.warning(
                "MLflow does not answer (%s). Training goes on; what it writes waits in %s.",
                redact_text(reason_of(error)),
                self.spool.folder,
            )
        self.is_away = True

    def _say_refused(self, error: Exception) -> None:
        log.debug("MLflow refused a write", exc_info=error)
        if not self._said_refused:
            log.warning(
                "MLflow refuses what is written (%s). Training goes on; refused writes are kept in "
                "%s, and `lightning_cli sync` tries them again.",
                redact_text(reason_of(error)),
                self.spool.folder,
            )
        self._said_refused = True
