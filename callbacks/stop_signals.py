"""Stop signals: SIGTERM, SIGHUP, SIGUSR1 and Ctrl-C end a fit that can be resumed."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

STOPPING = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name)
]
INTERRUPTED = 130  # exit status after Ctrl-C, as in a shell


class StopSignals(Callback):
    """Ends a fit after the step, or the picture, at work; its checkpoint is saved then.

    Lightning does so for SIGTERM alone; of the others, SIGHUP and SIGUSR1 would end the process at
    once, and under SLURM SIGUSR1 would write a checkpoint that belongs to no run. Its handler also
    talks to the other processes, whatever these are doing.

    Attributes:
        received: The signal that stops the fit; None if there was none.
    """

    def __init__(self) -> None:
        self.received: int | None = None

    def on_sanity_check_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Replace Lightning's handlers; it restores the original ones at the end of the fit."""
        self._install(trainer)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Replace Lightning's handlers, if there was no sanity check."""
        self._install(trainer)

    def _install(self, trainer: Trainer) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            if self.received is not None:
                return
            self.received = number
            trainer._signal_connector.received_sigterm = True
            for child in getattr(trainer.strategy.launcher, "procs", []):
                child.send_signal(signal.SIGTERM)

        if threading.current_thread() is threading.main_thread():
            for number in STOPPING:
                if signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` wants it
                    signal.signal(number, stop)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Make a second Ctrl-C end the process at once; Lightning would ignore it."""
        main = threading.current_thread() is threading.main_thread()
        if isinstance(exception, KeyboardInterrupt) and main:
            signal.signal(signal.SIGINT, _end_at_once)

    @property
    def status(self) -> int:
        """Exit status of a process that the signal has ended, as in a shell."""
        return 128 + (self.received or signal.SIGTERM)


def _end_at_once(*arguments: Any) -> None:
    print("\nStopped at once.", file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)
