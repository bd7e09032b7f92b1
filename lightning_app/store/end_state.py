"""End state of a run: finished, failed, or interrupted."""

import sys

from lightning.pytorch.utilities.exceptions import SIGTERMException
from mlflow.entities import RunStatus

MAX_REASON = 500  # letters


def end_state(status: str) -> int:
    """MLflow's status of a run that Lightning ends with `success` or `failed`."""
    if status != "failed":
        return RunStatus.FINISHED
    # Lightning reports an interrupt as a failure, while the exception is still being handled.
    interrupted = isinstance(sys.exception(), KeyboardInterrupt | SIGTERMException)
    return RunStatus.KILLED if interrupted else RunStatus.FAILED


def failure() -> str | None:
    """What is being raised, in one line; None if nothing is, or if a user has interrupted."""
    error = sys.exception()
    if error is None or isinstance(error, KeyboardInterrupt | SystemExit):
        return None
    return " ".join(f"{type(error).__name__}: {error}".split())[:MAX_REASON]
