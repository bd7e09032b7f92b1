"""Quiet decoders: libpng, libjpeg and OpenCV write nothing to the console.

They write to the file descriptor 2 from C, whatever Python's `sys.stderr` is, a line for each
damaged image and epoch. What they complain about becomes an error of ours that names the file.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2  # the file descriptor
_lock = threading.Lock()
_console = _nothing = -1  # file descriptors, once it is enabled
_decoding = 0  # threads


def enable() -> None:
    """Let Python write to a copy of the descriptor, so that none of its lines is lost.

    Programs call it when they start, libraries do not. It has no effect where `sys.stderr` is
    something else, as in a notebook.
    """
    global _console, _nothing
    try:
        if _console >= 0 or sys.stderr.fileno() != STDERR:
            return
    except (AttributeError, OSError, ValueError):  # closed, or no file
        return
    sys.stderr.flush()
    _console, _nothing = os.dup(STDERR), os.open(os.devnull, os.O_WRONLY)
    sys.stderr = os.fdopen(
        os.dup(STDERR), "w", 1, sys.stderr.encoding, sys.stderr.errors, newline=None
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what the block writes to the descriptor, if `enable` was called; other threads too."""
    global _decoding
    if _console < 0:
        yield
        return
    with _lock:
        _decoding += 1
        if _decoding == 1:
            os.dup2(_nothing, STDERR)
    try:
        yield
    finally:
        with _lock:
            _decoding -= 1
            if _decoding == 0:
                os.dup2(_console, STDERR)
