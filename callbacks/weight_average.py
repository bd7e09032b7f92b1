"""Weight average: an exponential moving average of the weights (EMA)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

Average = Callable[[list[Tensor], list[Tensor], Tensor], None]


class WeightAverage(WeightAveraging):
    """Validate and test with an exponential moving average of the weights, and keep it.

    Checkpoints hold the average, and also the weights from which a resumed fit continues. The n-th
    step keeps a share of (1 + n) / (10 + n) of the average, but at most `decay`, so that the
    initial weights are soon forgotten.

    Args:
        decay: Share of the average that each step of the optimizer keeps, in [0, 1).

    Raises:
        ValueError: If `decay` is out of range.
    """

    def __init__(self, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"Expected decay in [0, 1), got {decay:g}.")
        super().__init__(multi_avg_fn=moving_average(decay))
        self.validating = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Create the average on the device, to which the network is moved only later."""
        self._device = trainer.strategy.root_device
        super().setup(trainer, pl_module, stage)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Swap the average in."""
        super().on_validation_epoch_start(trainer, pl_module)
        self.validating = True

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Swap the weights back in."""
        super().on_validation_epoch_end(trainer, pl_module)
        self.validating = False

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Swap the weights back in, so that a checkpoint does not save the average as weights."""
        if self.validating:
            self.on_validation_epoch_end(trainer, pl_module)


@contextmanager
def averaged_weights(trainer: Trainer) -> Iterator[None]:
    """Swap the average in, if there is one, for code that does not run in a validation."""
    kept = [c for c in trainer.callbacks if isinstance(c, WeightAveraging) and c._average_model]  # pyright: ignore[reportAttributeAccessIssue]
    for average in kept:
        average._swap_models(trainer.lightning_module)
    try:
        yield
    finally:
        for average in kept:
            average._swap_models(trainer.lightning_module)


def moving_average(decay: float) -> Average:
    """Update function for `torch.optim.swa_utils.AveragedModel`.

    The one of torch, which Lightning's `EMAWeightAveraging` uses, accumulates rounding errors: with
    a decay of 0.9999 the average of frozen weights is off by 2e-4 after 20,000 steps. Here the
    average of equal weights equals them exactly.
    """

    def update(averages: list[Tensor], weights: list[Tensor], num_averaged: Tensor) -> None:
        if not averages[0].is_floating_point():  # number of batches that a batch norm has seen
            torch._foreach_copy_(averages, weights)  # pyright: ignore[reportPrivateImportUsage]
            return
        kept = ((1 + num_averaged) / (10 + num_averaged)).clamp(max=decay)
        steps = torch._foreach_sub(weights, averages)  # pyright: ignore[reportPrivateImportUsage]
        torch._foreach_mul_(steps, 1 - kept)  # pyright: ignore[reportPrivateImportUsage]
        torch._foreach_add_(averages, steps)  # pyright: ignore[reportPrivateImportUsage]

    return update
