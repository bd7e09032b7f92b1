"""Batches on the device: images as floats, mixed in training, with views in tests."""

from collections.abc import Sequence

import torch
from lightning.pytorch import Trainer
from torch import Tensor

from datamodules.augmentation.mixing import Mixing
from datamodules.augmentation.views import View, with_views
from datamodules.dataset import to_unit_range
from datamodules.splits.mix import mix


def on_device(
    batch: Sequence[Tensor], trainer: Trainer | None, mixing: Mixing, views: list[View], seed: int
) -> list[Tensor]:
    """Make images float in [0, 1], mix them, or add test-time views; leave features as they are."""
    images, labels, indices = batch
    if not images.is_floating_point():
        images = to_unit_range(images, _layout(trainer))
    if trainer is not None and trainer.training:
        epoch, batch_idx = trainer.current_epoch, trainer.fit_loop.batch_idx + 1
        images, labels = mixing(images, labels, mix(seed, epoch, batch_idx, trainer.global_rank))
    if views and trainer is not None and (trainer.testing or trainer.predicting):
        images = with_views(images, views)
    return [images, labels, indices]


def _layout(trainer: Trainer | None) -> torch.memory_format:
    """The memory layout of the network, so that its images are not copied once more."""
    module = None if trainer is None else trainer.lightning_module
    return getattr(module, "layout", torch.preserve_format)
