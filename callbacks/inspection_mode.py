"""Inspection mode: eval mode with gradients, after which a network is as it was before."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import nn


@contextmanager
def inspection_mode(model: nn.Module) -> Iterator[None]:
    """Put a network in eval mode with gradients on; restore its modes and the random numbers.

    Gradients are off in Lightning's validation, which runs in inference mode.

    Args:
        model: The network to inspect inside the `with` block.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode(False), torch.enable_grad(), isolate_rng():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
