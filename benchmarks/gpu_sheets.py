"""Sheets of S3's network, activation maximisation and filters: on the GPU as on the CPU."""

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from gpu_machine import Settings, synchronize
from gpu_options import set_tf32
from torch import Tensor, nn

from models import Head, PlainCNN
from models.explain import maximise_activation
from models.explain.filters import filters_of

SIZE, NUM_FILTERS = 48, 64
LAYERS = ("block1", "block2", "block3")
TOLERANCE = 1e-3  # in units of the image, [0, 1]
# A few steps have to agree. Later, a rounding error decides which side of zero the input of a ReLU
# is on, so the differences after more steps are printed, but do not fail the part.
FEW, MANY = 2, 50


def sheets(settings: Settings) -> Iterator[dict[str, Any]]:
    """A row per sheet: the largest difference of a pixel, and how many tiles are within 1e-3."""
    torch.manual_seed(0)
    few, many, number = (1, 2, 2) if settings.tiny else (FEW, MANY, NUM_FILTERS)
    backbone = PlainCNN(num_channels=1, image_size=SIZE)
    network = nn.Sequential(backbone, Head(backbone.num_features, 7)).eval()
    set_tf32("highest", False)

    def filters(model: nn.Module, layer: str) -> Tensor:
        return filters_of(model.get_submodule(f"0.blocks.{layer}.conv"), number)

    try:
        for layer in LAYERS:
            yield compared("filters", layer, network, settings, filters)
        for steps in (few, many):
            for layer in LAYERS:

                def images(model: nn.Module, layer: str, steps: int = steps) -> Tensor:
                    relu = model.get_submodule(f"0.blocks.{layer}.relu")
                    shape = (1, SIZE, SIZE)
                    return maximise_activation(
                        model, relu, range(number), shape, "pixels", steps
                    ).images

                title = f"activation maximisation, {steps} steps"
                row = compared(title, layer, network, settings, images)
                yield row if steps == few else row | {"equal to 1e-3": None}
    finally:
        set_tf32("high", True)


def compared(
    sheet: str,
    layer: str,
    network: nn.Module,
    settings: Settings,
    draw: Callable[[nn.Module, str], Tensor],
) -> dict[str, Any]:
    """Draw a sheet on the CPU and on the device, and compare."""
    times, tiles = [], []
    for device in ("cpu", settings.device):
        model = copy.deepcopy(network).to(device)
        started = time.perf_counter()
        tiles.append(draw(model, layer))
        synchronize(device)
        times.append(time.perf_counter() - started)
    expected, found = (part.detach().float().cpu() for part in tiles)
    differences = (expected - found).abs().flatten(1).amax(dim=1)
    return {
        "sheet": sheet,
        "layer": layer,
        "largest difference": float(differences.max()),
        "equal to 1e-3": bool((differences <= TOLERANCE).all()),
        "tiles within 1e-3": f"{int((differences <= TOLERANCE).sum())} of {len(differences)}",
        "CPU s": times[0],
        "device s": times[1],
    }
