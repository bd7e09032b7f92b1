"""Work counted in arithmetic operations, which does not depend on how busy a machine is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

# Operations per second of a typical device. They turn seconds into operations: the limits of two
# runs are the same, whatever machine they run on.
CPU_SPEED, GPU_SPEED = 3e10, 1e13


class OperationCounter(TorchDispatchMode):
    """Counts the operations of convolutions, matrix products and attention, also of gradients.

    Attributes:
        operations: Number of multiplications and additions so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any | None = None
    ) -> Any:
        """Run an operation, and count it."""
        result = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.operations += count(*args, **(kwargs or {}), out_val=result)
        return result


@contextmanager
def counted_operations() -> Iterator[OperationCounter]:
    """Count the operations inside the block."""
    with OperationCounter() as counter:
        yield counter


def speed_of(device: torch.device) -> float:
    """Operations per second of a typical device of this type."""
    return CPU_SPEED if device.type == "cpu" else GPU_SPEED
