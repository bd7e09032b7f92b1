"""Ends of a command that was stopped or has failed: the state of its run, and its exit status."""

import os
import signal
import sys

from lightning.pytorch import Trainer
from lightning.pytorch.utilities.exceptions import SIGTERMException

from callbacks import StopSignals
from callbacks.process_watch import Failure
from callbacks.stop_signals import INTERRUPTED
from lightning_app.store.run_logger import FAILURE, RunLogger
from lightning_app.store.slurm_job import job_id, requeue


class ProcessFailedError(ConnectionError):
    """Another process of this command has failed."""


def end_run(
    logger: RunLogger | None, status: str = "success", failure: Failure | None = None
) -> None:
    """Set the end state of a run, unless Lightning has.

    It has not if no epoch was left to train, or if saving a checkpoint after an error failed, too.

    Args:
        logger: Logger of the run; None if there is none.
        status: Lightning's name of the state.
        failure: The failure of another process; None if the error is one of this process.
    """
    if logger is None:
        return
    if logger.is_training:
        logger.finalize(status)
    if failure is not None and logger._initialized:
        logger.experiment.set_tag(logger.run_id, FAILURE, str(failure))


def raise_for_user(
    error: BaseException, trainer: Trainer, failure: Failure | None, signals: StopSignals
) -> None:
    """Raise what the command ends with; return if that is the error itself.

    Raises:
        ProcessFailedError: If another process has failed; the message says why.
        SystemExit: With the status of a shell, if a signal or Ctrl-C has stopped the command. A
            SLURM job that was asked to make room is queued again.
    """
    if failure is not None and not trainer.is_global_zero and failure.rank != 0:
        raise SystemExit(1) from None  # process 0 says why
    if failure is not None:
        raise ProcessFailedError(f"{failure}.") from None
    if isinstance(error, SIGTERMException) and signals.received is not None:
        if trainer.is_global_zero:
            name = signal.Signals(signals.received).name
            print(f"Stopped by {name}. Resume with --ckpt_path last.", file=sys.stderr)
        if signals.received == signal.SIGUSR1 and job_id() and trainer.is_global_zero:
            print(requeue(), file=sys.stderr)
        raise SystemExit(signals.status) from None
    if isinstance(error, SystemExit) and isinstance(error.__context__, KeyboardInterrupt):
        if not os.environ.get("LIGHTNING_CLI_DEBUG"):
            print("Interrupted. Resume with --ckpt_path last.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
