"""Look into a network and leave no trace."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import nn


@contextmanager
def explainable(model: nn.Module) -> Iterator[None]:
    """Let a network be looked into, in eval mode, and leave it as it was, and the random numbers.

    Validation runs in inference mode, whose tensors no gradient can pass.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode(False), torch.enable_grad(), isolate_rng():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
