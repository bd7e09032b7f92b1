"""Parent process of child runs: they stop when it is gone, even if it was killed."""

import os
import signal
import threading
from functools import lru_cache

ENDS_WITH_STDIN = "LIGHTNING_CLI_ENDS_WITH_STDIN"  # set for processes that watch their parent


@lru_cache(1)
def lifeline() -> int:
    """Standard input of the child runs of this process: a pipe that ends with it.

    Nothing is ever written to the pipe. Its other end is open in this process alone, and the system
    closes it, however the process ends.
    """
    end, _ = os.pipe()
    return end


def stop_with_parent() -> None:
    """In a child run, stop as on SIGTERM when the parent process is gone."""
    if os.environ.get(ENDS_WITH_STDIN):
        threading.Thread(target=_watch, name="parent process", daemon=True).start()


def _watch() -> None:
    os.read(0, 1)
    print("The command that has started this run is gone; stopping.", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
