"""Parts of a training step on a core of a CPU: optimizers, fused or not, and images as floats.

    uv run python benchmarks/step_parts.py

Images, and steps of optimizers, per second of CPU time in alternating rounds.
"""

from collections.abc import Callable
from functools import partial

import torch
from results import options_of, publish
from rounds import cpu_seconds, speeds
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from datamodules.dataset import to_unit_range

QUICK = []
CALLS, ROUNDS, BATCH = 3, 7, 64
SHAPES = {"60 small": [64] * 40 + [64 * 64 * 9] * 20, "8 large": [2048 * 512] * 8}
OPTIMIZERS = {"AdamW": AdamW, "SGD": partial(SGD, momentum=0.9)}


def optimizer(make: Callable[..., Optimizer], sizes: list[int], fused: bool) -> Optimizer:
    """An optimizer whose parameters have a gradient."""
    parameters = [nn.Parameter(torch.randn(size)) for size in sizes]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    return make(parameters, lr=1e-3, fused=fused or None)


def three_passes(images: Tensor) -> Tensor:
    """As floats, and then in another layout, as the network would do."""
    return to_unit_range(images).to(memory_format=torch.channels_last)


def often(call: Callable[[], object]) -> Callable[[], object]:
    """The call, several times."""
    return lambda: [call() for _ in range(CALLS)]


def main() -> None:
    """Publish two rows per comparison."""
    options = options_of(__doc__).parse_args()
    torch.set_num_threads(1)
    rows = []
    for shape, sizes in SHAPES.items():
        for name, make in OPTIMIZERS.items():
            kinds = {"default": False, "fused": True}
            work = {k: often(optimizer(make, sizes, fused).step) for k, fused in kinds.items()}
            title = f"{name}, {shape} tensors"
            rows += speeds(title, cpu_seconds(work, ROUNDS), CALLS)
    for side in (64, 224):
        images = torch.randint(0, 256, (BATCH, 3, side, side), dtype=torch.uint8)
        work = {
            "floats, then channels last": often(partial(three_passes, images)),
            "at once": often(partial(to_unit_range, images, torch.channels_last)),
        }
        title = f"{BATCH} images of {side} pixels"
        rows += speeds(title, cpu_seconds(work, ROUNDS), CALLS * BATCH)
    publish("step_parts", rows, options.out)


if __name__ == "__main__":
    main()
