"""Ranks that torchrun or SLURM started: they agree before there is a process group."""

import contextlib
import json
import os
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

import torch.distributed as dist
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

PATIENCE = timedelta(minutes=10)  # that a rank waits for another one, which may start later
GRACE = timedelta(minutes=2)  # that rank 0, which has the store, waits after a failure


class Ranks(NamedTuple):
    """This process among those of its command, and the store that they share.

    Attributes:
        rank: Number of this process.
        size: Number of processes.
        node: Number of its machine.
        is_first: Whether it is the first process on its machine.
        store: A store of keys and values on the machine of rank 0; the process group uses it later.
    """

    rank: int
    size: int
    node: int
    is_first: bool
    store: Any

    def put(self, key: str, value: bytes) -> None:
        """Tell the other ranks a value, of at most 8 MiB."""
        self.store.set(key, value)

    def get(self, key: str) -> bytes:
        """Wait for the value that another rank tells.

        Raises:
            ValueError: If it does not within `PATIENCE`.
        """
        try:
            return self.store.get(key)
        except RuntimeError as error:
            raise ValueError(
                f"Rank {self.rank} of {self.size} waits for another rank, which has ended or did "
                f"not answer in {_minutes()} minutes. Look at the output of the other machines."
            ) from error


@cache
def started_ranks() -> Ranks | None:
    """The ranks of this command; None if it runs in one process, or Lightning starts the others.

    Those are on one machine, so they find the same files.

    Raises:
        ValueError: If rank 0 cannot be reached within `PATIENCE`.
    """
    kinds = (TorchElasticEnvironment, SLURMEnvironment)
    found = next((kind() for kind in kinds if kind.detect()), None)
    if found is None or found.world_size() == 1:
        return None
    rank, size = found.global_rank(), found.world_size()
    address = f"{found.main_address}:{found.main_port}"
    try:
        store, _, _ = next(rendezvous(f"tcp://{address}", rank, size, timeout=PATIENCE))
    except dist.DistError as error:
        raise ValueError(
            f"Rank {rank} of {size} cannot reach rank 0 at {address} within {_minutes()} minutes: "
            f"{error}"
        ) from error
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    store = PrefixStore(f"lightning_app/{attempt}", store)
    return Ranks(rank, size, found.node_rank(), found.local_rank() == 0, store)


def agreed(what: str, decide: Callable[[], Any]) -> Any:
    """What rank 0 decides, on all ranks that an outside launcher has started.

    So no rank goes on while another one ends with an error, or starts from something else.

    Args:
        what: What is decided, a name that is used once.
        decide: Decides it; called by rank 0 only. The result has to be plain values.

    Raises:
        ValueError: If rank 0 fails, with its message.
        SystemExit: If rank 0 exits.
    """
    ranks = started_ranks()
    if ranks is None:
        return decide()
    if ranks.rank > 0:
        return _told(ranks, what)
    try:
        value = decide()
    except BaseException as error:
        status = error.code if isinstance(error, SystemExit) else None
        ranks.put(what, json.dumps((None, f"{error}", status)).encode())
        with contextlib.suppress(RuntimeError):  # the store ends with this process
            ranks.store.wait([f"{what} {rank}" for rank in range(1, ranks.size)], GRACE)
        raise
    ranks.put(what, json.dumps((value, None, None)).encode())
    return value


def _told(ranks: Ranks, what: str) -> Any:
    value, failure, status = json.loads(ranks.get(what))
    if failure is None:
        return value
    ranks.put(f"{what} {ranks.rank}", b"")
    if status is not None:
        raise SystemExit(status)
    raise ValueError(f"Rank 0 cannot go on: {failure}")


def _minutes() -> int:
    return PATIENCE // timedelta(minutes=1)
