"""Choices: image size, batch size, epochs, precision and workers for a dataset and a device."""

import os

import torch

from lightning_app.cli.one_line.weight_origin import Backbone

NETWORK_SIZE = 224  # pixels that most networks were pretrained with
SIZE_ON_CPU = 128
STEP = 32  # by which networks shrink an image
FEW = 2000  # training images up to which a recipe trains for all of its epochs


def image_size_for(side: int | None, network_size: int, on_gpu: bool) -> tuple[int, str]:
    """Side of the images in pixels, and why.

    Args:
        side: Median of the shorter sides of the files; None if it is not known.
        network_size: What the network was pretrained with.
        on_gpu: Whether a GPU trains.
    """
    limit = network_size if on_gpu else min(network_size, SIZE_ON_CPU)
    reason = "as the network was made for" if on_gpu else "more would be slow without a GPU"
    if side is None:
        return limit, reason
    if side >= limit:
        return limit, f"the files have {side}; {reason}"
    return max(STEP, min(limit, -(-side // STEP) * STEP)), f"the files have {side}"


def epochs_for(num_images: int, epochs: int) -> int:
    """Epochs for a number of training images, from those of the recipe.

    Beyond `FEW` images they fall with the cube root of the number: of eight times as many images,
    each is seen half as often, and four times as many are seen in all.
    """
    return max(1, round(epochs * min(1.0, (FEW / num_images) ** (1 / 3))))


def precision_for(device: str, bf16: bool) -> tuple[str, bool]:
    """Precision of the trainer, and whether channels are last.

    bfloat16 is no choice for a CPU: it makes depthwise convolutions slower there.

    Args:
        device: `cuda`, `mps` or `cpu`.
        bf16: Whether a GPU computes with bfloat16.
    """
    if device == "cuda":
        return "bf16-mixed" if bf16 else "16-mixed", True
    return "32-true", device == "cpu"


def network_size(backbone: Backbone) -> int:
    """Side of the images, in pixels, that a network was pretrained with."""
    if backbone.kind != "TimmBackbone":
        return NETWORK_SIZE
    import timm  # takes as long as the rest of this package

    config = timm.get_pretrained_cfg(backbone.name)
    return config.input_size[-1] if config else NETWORK_SIZE


def device_for(accelerator: str) -> str:
    """The kind of device that a trainer with this accelerator uses: `cuda`, `mps` or `cpu`."""
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return "cuda"
    if accelerator in ("auto", "gpu", "mps") and torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def has_bf16(device: str) -> bool:
    """Whether a GPU computes with bfloat16, not only emulates it."""
    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def processes_for(device: str, devices: str) -> int:
    """Training processes on this machine, one for each GPU.

    Args:
        device: See `device_for`.
        devices: Setting of the trainer: `auto`, -1, a number, or a list.
    """
    present = torch.cuda.device_count() if device == "cuda" else 1
    if devices in ("auto", "-1", ""):
        return max(1, present)
    return int(devices) or 1 if devices.isdigit() else max(1, devices.count(",") + 1)


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
