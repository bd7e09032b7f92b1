"""Full precision: what is computed in float32, also where the network runs in bfloat16."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import Any, TypeVar, cast

import torch

Function = TypeVar("Function", bound=Callable)


def full_precision(function: Function) -> Function:
    """A function inside which autocast is off: bfloat16 has 128 levels from 0.5 to 1."""

    @wraps(function)
    def in_float32(*args: Any, **kwargs: Any) -> Any:
        with ExitStack() as stack:
            for device in ("cpu", "cuda", "mps"):
                stack.enter_context(torch.autocast(device, enabled=False))
            return function(*args, **kwargs)

    return cast("Function", in_float32)
