"""Full precision: images are computed in float32, also where the network runs in bfloat16."""

from collections.abc import Callable
from typing import TypeVar

import torch

Function = TypeVar("Function", bound=Callable)


def full_precision(function: Function) -> Function:
    """A function inside which autocast is off: in bfloat16, an image has about 100 grey levels."""
    for device in ("cpu", "cuda", "mps"):
        function = torch.autocast(device, torch.bfloat16, enabled=False)(function)
    return function
