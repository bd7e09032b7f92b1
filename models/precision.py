"""Precision in which a network is evaluated outside of the fit that trained it."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

FLOAT32 = "32-true"  # Lightning's names
BFLOAT16 = ("bf16-mixed", "bf16-true")


def precision_of_fit(model: nn.Module) -> AbstractContextManager:
    """Autocast to bfloat16 for a network that was trained in it, else as the weights are.

    So its predictions agree with the metrics of its run. A device that does not compute in bfloat16
    itself, but would emulate it slowly, takes float32. So does a network that was trained in
    float16, in which small gradients of an image would become zero.

    Args:
        model: The network; only an `ImageClassifier` knows its precision.
    """
    parameter = next(model.parameters(), None)
    trained_in = getattr(model, "precision_of_fit", FLOAT32)
    if trained_in not in BFLOAT16 or parameter is None or parameter.dtype == torch.bfloat16:
        return nullcontext()
    device = parameter.device.type
    return torch.autocast(device, torch.bfloat16, enabled=computes_bfloat16(device))


def computes_bfloat16(device: str) -> bool:
    """Whether a type of device computes in bfloat16, not only emulates it."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device == "cpu" and torch.cpu._is_avx512_bf16_supported()
