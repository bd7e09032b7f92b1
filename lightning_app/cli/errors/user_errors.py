"""User errors end a command with one sentence instead of a stack trace."""

import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from datamodules.redaction import redact_text
from lightning_app.cli.errors.known_failures import explained

OUR_PACKAGES = {"callbacks", "datamodules", "lightning_app", "models"}
OUR_ERRORS = (ValueError, TypeError, ConnectionError)  # that our own code raises
TERMINATED = 143  # exit status of a process that SIGTERM ended, as in a shell
DEBUG = "LIGHTNING_CLI_DEBUG"  # environment variable: show stack traces and full messages
IN_WORKER = re.compile(
    r"Caught \w+ in DataLoader worker.*/datamodules/.*\n[\w.]+: (?P<message>[^\n]+)\s*$", re.DOTALL
)


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """Print an error that is meant for the user, and exit with status 1; shorten warnings.

    Errors raised in our own modules, and Lightning's about its settings, are meant for the user.
    Errors from inside other libraries keep their stack trace.

    Raises:
        SystemExit: With 1 after an error for the user, with 143 after SIGTERM.
    """
    original = warnings.formatwarning
    shorten_warnings()
    try:
        yield
    except RuntimeError as error:
        if (message := explained(error)) is None or os.environ.get(DEBUG):
            raise
        _print_error(message)
        raise SystemExit(1) from None
    except _lightning_error("pytorch", "SIGTERMException"):
        raise SystemExit(TERMINATED) from None  # Lightning would exit with 0, as after a success
    except (*OUR_ERRORS, *_lightning_error("fabric", "MisconfigurationException")) as error:
        text = str(error)
        worker = IN_WORKER.search(text)  # the text of an error in a worker has its stack trace
        for_user = worker or not isinstance(error, OUR_ERRORS) or _raised_by_us(error.__traceback__)
        if not for_user or os.environ.get(DEBUG):
            raise
        _print_error(worker["message"] if worker else text)
        raise SystemExit(1) from None
    finally:
        warnings.formatwarning = original


def shorten_warnings() -> None:
    """Print warnings without our line of code, which does not help a user."""
    warnings.formatwarning = _format_warning


def _print_error(message: str) -> None:
    _close_progress_bars()
    hint = f"(set {DEBUG}=1 for the stack trace)"
    print(f"error: {redact_text(message)}\n{hint}", file=sys.stderr)


def print_redacted(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print an error with its stack trace but without secrets; for `sys.excepthook`."""
    text = "".join(traceback.format_exception(kind, error, trace))
    print(redact_text(text), end="", file=sys.stderr)


def _close_progress_bars() -> None:
    """End the line of an open progress bar, so that the message starts on a new line."""
    if (module := sys.modules.get("tqdm")) is not None:
        for bar in list(module.tqdm._instances):
            bar.close()


def _format_warning(message: Warning | str, *place: Any, **options: Any) -> str:
    return f"warning: {redact_text(str(message))}\n"


def _lightning_error(part: str, name: str) -> tuple[type[Exception], ...]:
    """An exception class of Lightning; empty if Lightning was not imported, so cannot raise it."""
    module = sys.modules.get(f"lightning.{part}.utilities.exceptions")
    return () if module is None else (getattr(module, name),)


def _raised_by_us(trace: TracebackType | None) -> bool:
    """Whether the line that raised is in one of our packages."""
    name = ""
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        trace = trace.tb_next
    return name.split(".")[0] in OUR_PACKAGES
