"""Batch size: one that suits the number of images and the device, found before training."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info
from torch.nn.functional import cross_entropy

SMALLEST, LARGEST = 16, 256
LARGEST_ON_CPU, LARGEST_OF_SMALL = 32, 64  # larger batches are not faster on a CPU
SMALL_IMAGE = 64  # side in pixels
STEPS = 10  # of an epoch, at least
MEMORY = 0.9  # share of a GPU's memory that a step may take


def useful_batch_size(num_images: int, image_size: int, on_gpu: bool) -> int:
    """The largest power of two that leaves `STEPS` steps in an epoch, within limits.

    Args:
        num_images: Training images of a process.
        image_size: Side of the images in pixels.
        on_gpu: Whether a GPU trains.
    """
    on_cpu = LARGEST_OF_SMALL if image_size <= SMALL_IMAGE else LARGEST_ON_CPU
    limit = min(LARGEST if on_gpu else on_cpu, num_images // STEPS)
    return max(SMALLEST, 2 ** max(limit, 1).bit_length() // 2)


def largest_that_fits(limit: int, fits: Callable[[int], bool]) -> int:
    """The largest of 1, 2, 4 … up to a limit for which a step fits into the memory.

    Args:
        limit: A power of two.
        fits: Tries a batch size.

    Raises:
        ValueError: If not even one image fits.
    """
    size = limit
    while not fits(size):
        if size == 1:
            raise ValueError(
                "Not even one image fits into the memory of the GPU; expected a smaller "
                "data.image_size or network."
            )
        size //= 2
    return size


class AutoBatchSize(Callback):
    """Replace `data.batch_size: auto` by a number, before the first step of a fit.

    It is the useful one; on a GPU it is halved until a step of the whole network fits into the
    memory. It never changes during training, so that a run can be repeated.

    Args:
        record: Called with the number, for the configuration of the run.
    """

    def __init__(self, record: Callable[[int], None]) -> None:
        self.record = record

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Set the batch size of the datamodule; the same in all processes."""
        data: Any = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
        if stage != "fit" or not data.auto_batch_size:
            return
        device = trainer.strategy.root_device
        on_gpu, num_images = device.type == "cuda", len(data.sources["train"])
        size = useful_batch_size(num_images // trainer.world_size, data.image_size, on_gpu)
        if on_gpu:
            size = largest_that_fits(size, lambda n: _fits(n, trainer, pl_module, data))
            size = int(trainer.strategy.reduce(torch.tensor(size, device=device), reduce_op="min"))
        data.batch_size = size
        self.record(size)
        rank_zero_info(f"Batch size  {size} (data.batch_size: auto)")


def _fits(size: int, trainer: Trainer, module: LightningModule, data: Any) -> bool:
    """Whether a training step of all layers fits into the memory of the GPU."""
    device = trainer.strategy.root_device
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    try:
        network = copy.deepcopy(module).to(device).requires_grad_(True).train()
        optimizer = torch.optim.AdamW(network.parameters())
        images = torch.rand(size, data.num_channels, data.image_size, data.image_size)
        labels = torch.zeros(size, dtype=torch.long, device=device)
        with trainer.precision_plugin.forward_context():
            loss = cross_entropy(network(images.to(device)), labels)
        loss.backward()
        optimizer.step()
        taken = torch.cuda.max_memory_reserved(device)
    except torch.cuda.OutOfMemoryError:
        return False
    finally:
        network = optimizer = images = labels = loss = None
        torch.cuda.empty_cache()
    return taken <= MEMORY * torch.cuda.get_device_properties(device).total_memory
