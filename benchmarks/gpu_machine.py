"""Machine of `gpu.py`: its device, the peak of the device, and the operations of a network."""

import copy
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

# Operations per second of dense matrix products in bfloat16, from the data sheets of NVIDIA. A
# multiplication and an addition are two.
PEAKS = {
    "B200": 2250e12,
    "GH200": 989.4e12,
    "H200": 989.4e12,
    "H100 NVL": 835e12,
    "H100 PCIe": 756e12,
    "H100": 989.4e12,
    "A100": 312e12,
    "A40": 149.7e12,
    "A30": 165e12,
    "A10": 125e12,
    "A10G": 70e12,
    "L40S": 362e12,
    "L40": 181e12,
    "L4": 121e12,
    "RTX 4090": 165.2e12,
    "RTX 3090": 71e12,
}
TRAINING = 3  # a step has a forward pass, and a backward pass that costs as much as two


class LeftOut(Exception):
    """A part that cannot be measured here; the text says why."""


@dataclass(frozen=True)
class Settings:
    """Settings of all parts.

    Attributes:
        folder: For runs and files.
        tiny: Whether to try everything with tiny networks and images, and measure nothing.
        device: `cuda` or `cpu`.
        faces: S3's training rows; None if they are not given.
    """

    folder: Path
    tiny: bool = False
    device: str = "cuda" if torch.cuda.is_available() else "cpu"
    faces: Path | None = None

    @property
    def name(self) -> str:
        """Name of the GPU, or `CPU`."""
        return torch.cuda.get_device_name() if self.device == "cuda" else "CPU"

    @property
    def accelerator(self) -> str:
        """The device as the trainer calls it."""
        return "gpu" if self.device == "cuda" else "cpu"

    @property
    def compiler(self) -> bool | str:
        """What to compile with: `eager` only records the graph."""
        return "eager" if self.tiny else True

    def require_gpu(self) -> None:
        """Leave the part out if there is no GPU.

        Raises:
            LeftOut: If there is none.
        """
        if self.device != "cuda":
            raise LeftOut("needs CUDA")


def synchronize(device: str) -> None:
    """Wait until the device has finished its work."""
    if device == "cuda":
        torch.cuda.synchronize()


def peak_operations(name: str) -> float | None:
    """Operations per second of a GPU at most, in bfloat16; None if it is not known."""
    for key in sorted(PEAKS, key=len, reverse=True):  # L40S before L40
        if re.search(rf"\b{key}\b", name):
            return PEAKS[key]
    return None


def forward_operations(network: nn.Module, image_size: int, num_channels: int = 3) -> int:
    """Operations of a forward pass of an image; nothing is computed for it."""
    without_numbers = copy.deepcopy(network).to("meta").eval()
    image = torch.empty(1, num_channels, image_size, image_size, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        without_numbers(image)
    return counter.get_total_flops()


def utilisation(operations: int, rate: float, device: str) -> float | str:
    """Model FLOPs utilisation (Chowdhery et al., 2022) of training, in [0, 1].

    Args:
        operations: Of a forward pass of an image.
        rate: Images per second.
        device: `cuda` or `cpu`.

    Returns:
        The share of the peak, or `unknown` if that of the device is not known.
    """
    peak = peak_operations(torch.cuda.get_device_name()) if device == "cuda" else None
    return "unknown" if peak is None else TRAINING * operations * rate / peak
