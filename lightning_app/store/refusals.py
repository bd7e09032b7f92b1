"""Refusals: errors of MLflow that another attempt would repeat, and their reason in one line."""

import re

from mlflow.exceptions import MlflowException

# Statuses of HTTP below 500 after which another attempt may succeed: credentials, time, load.
PASSING = {401, 403, 407, 408, 425, 429}
MAX_REASON = 160  # letters
# The innermost reason of an error of urllib3 or SQLAlchemy, which come with their whole history.
INNERMOST = re.compile(
    r"(?:\[Errno -?\d+\] |ResponseError\(['\"]|\(sqlite3\.\w+\) )(?P<reason>[^'\")\n]+)"
)
DELETED = re.compile(r"must be in the 'active' state|is deleted|in deleted state")


def is_refusal(error: Exception) -> bool:
    """Whether MLflow will refuse the same write again, as for a run that was deleted."""
    if isinstance(error, MlflowException):
        status = error.get_http_status_code()
    elif isinstance(error, OSError):  # those of requests, too
        status = getattr(getattr(error, "response", None), "status_code", 500)
    else:
        return True  # of the client itself, about what it was given
    return 400 <= status < 500 and status not in PASSING


def reason_of(error: Exception) -> str:
    """Why MLflow did not take a write, in one short line."""
    text = str(error)
    if DELETED.search(text):
        return "the run was deleted; restore it in the UI"
    found = INNERMOST.search(text)
    reason = " ".join((found["reason"] if found else text).split()) or type(error).__name__
    return reason if len(reason) <= MAX_REASON else f"{reason[: MAX_REASON - 1]}…"
