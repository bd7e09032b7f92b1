"""Work of the first rank, such as drawing, for which the other ranks wait without a time limit."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import torch.distributed as dist
from lightning.pytorch import Trainer

POLL_SECONDS = 0.2
KEY = "lightning_app/first_rank_work"  # in the store of the process group


@contextlib.contextmanager
def others_wait(trainer: Trainer) -> Iterator[None]:
    """Let the other ranks wait at the end of the block until the first has left it.

    They look into the store of the process group. In an exchange of tensors they would wait, too,
    but NCCL ends a process that waits in one for ten minutes. All ranks have to enter the block.
    If the first rank dies, `ProcessWatch` ends those that wait.

    Args:
        trainer: The trainer, whose process group is up.
    """
    if trainer.world_size == 1:
        yield
        return
    store = dist.distributed_c10d._get_default_store()
    number = _next_number(trainer)
    try:
        yield
    finally:
        if trainer.is_global_zero:
            store.set(f"{KEY}/{number}", "done")
    while not _is_done(store, f"{KEY}/{number}"):
        time.sleep(POLL_SECONDS)


def _next_number(trainer: Trainer) -> int:
    """How many blocks this rank has entered; all ranks enter the same."""
    number = getattr(trainer, "_first_rank_works", 0) + 1
    trainer._first_rank_works = number  # pyright: ignore[reportAttributeAccessIssue]
    return number


def _is_done(store: Any, key: str) -> bool:
    try:
        return store.check([key])
    except RuntimeError:  # the first rank, which has the store, has ended
        return True
