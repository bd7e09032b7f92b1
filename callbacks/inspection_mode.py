"""Inspection mode: eval mode with gradients, in the precision of the fit."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.plugins.precision import MixedPrecision
from lightning.pytorch.utilities.seed import isolate_rng
from torch import nn

from models.precision import precision_of_fit


@contextmanager
def inspection_mode(model: nn.Module) -> Iterator[None]:
    """Put a network in eval mode with gradients on; restore its modes and the random numbers.

    It computes in the precision in which it was trained; see `precision_of_fit`.

    Gradients are off in Lightning's validation, which runs in inference mode.

    Args:
        model: The network to inspect inside the `with` block.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            isolate_rng(),
            precision_of_fit(model),
        ):
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def precision_of(trainer: Trainer) -> AbstractContextManager:
    """Autocast as in the passes of a trainer, so that captions agree with its metrics.

    Not with float16, in which small gradients of an image would become zero.
    """
    plugin = trainer.precision_plugin
    mixed = isinstance(plugin, MixedPrecision) and plugin.scaler is None
    return plugin.forward_context() if mixed else nullcontext()
