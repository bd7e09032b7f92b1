"""MLflow runs: the logger, what it records, and how runs and checkpoints are found.

Configurations name two of its classes. They are available from here under short paths, which stay
the same when files move; they are imported when they are first used, because that takes seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightning_app.store.checkpoint_io import AtomicCheckpointIO as AtomicCheckpointIO
    from lightning_app.store.run_logger import RunLogger as RunLogger

HOMES = {"AtomicCheckpointIO": "checkpoint_io", "RunLogger": "run_logger"}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'lightning_app.store' has no attribute {name!r}")
    return getattr(import_module(f"lightning_app.store.{HOMES[name]}"), name)
