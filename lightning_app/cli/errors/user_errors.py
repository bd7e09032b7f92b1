"""A user's mistake ends with a sentence, not with a stack trace."""

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

OURS = {"callbacks", "datamodules", "lightning_app", "models"}
WORDED = (ValueError, TypeError, ConnectionError)  # the kinds that our own code raises
DEBUG = "LIGHTNING_CLI_DEBUG"
IN_WORKER = re.compile(
    r"Caught \w+ in DataLoader worker.*/datamodules/.*\n[\w.]+: (?P<message>[^\n]+)\s*$", re.DOTALL
)


@contextmanager
def explained() -> Iterator[None]:
    """Print an error that is worded for the user, and exit with status 1; warnings are sentences.

    Errors that our own modules raise are such, and Lightning's about its settings; whatever a
    library raises from its depths keeps its stack trace.
    """
    python = warnings.formatwarning
    warnings.formatwarning = _brief
    try:
        yield
    except _of_lightning("pytorch", "SIGTERMException"):
        raise SystemExit(143) from None  # Lightning would exit with 0, as if all were done
    except (*WORDED, *_of_lightning("fabric", "MisconfigurationException")) as error:
        text = str(error)
        worker = IN_WORKER.search(text)  # such a message holds the worker's stack trace
        ours = _origin(error.__traceback__) in OURS or not isinstance(error, WORDED)
        if not (ours or worker) or os.environ.get(DEBUG):
            raise
        _close_bars()
        print(
            f"error: {worker['message'] if worker else text}\n(the stack trace: {DEBUG}=1)",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    finally:
        warnings.formatwarning = python


def _close_bars() -> None:
    """Leave the line on which a progress bar stands, else a message would be glued to it."""
    if (module := sys.modules.get("tqdm")) is not None:
        for bar in list(module.tqdm._instances):
            bar.close()


def _brief(message: Warning | str, *place: Any, **options: Any) -> str:
    return f"warning: {message}\n"  # the line of our code that it comes from says nothing to a user


def _of_lightning(part: str, name: str) -> tuple[type[Exception], ...]:
    """An exception of Lightning's; none where it was not imported, so that it cannot be raised."""
    module = sys.modules.get(f"lightning.{part}.utilities.exceptions")
    return () if module is None else (getattr(module, name),)


def _origin(traceback: TracebackType | None) -> str:
    """The package of the line that raised."""
    name = ""
    while traceback is not None:
        name = traceback.tb_frame.f_globals.get("__name__", "")
        traceback = traceback.tb_next
    return name.split(".")[0]
