"""A smoother network beside the one that is trained."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

Average = Callable[[list[Tensor], list[Tensor], Tensor], None]


class WeightAverage(WeightAveraging):
    """Validate, test and keep an exponential moving average of the weights.

    Checkpoints hold the average, and beside it the weights that a resumed fit goes on with. The
    n-th step keeps (1 + n) / (10 + n) of the average, and never more than `decay`, so that it soon
    forgets the weights of the beginning.

    Args:
        decay: Share of the average that is kept at each step of the optimizer, in [0, 1).

    Raises:
        ValueError: If it is out of range.
    """

    def __init__(self, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"Expected decay in [0, 1), got {decay:g}.")
        super().__init__(multi_avg_fn=moving_average(decay))
        self.validating = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Make the average on the device, which the network itself gets to later."""
        self._device = trainer.strategy.root_device
        super().setup(trainer, pl_module, stage)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the average in the place of the weights."""
        super().on_validation_epoch_start(trainer, pl_module)
        self.validating = True

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the weights back."""
        super().on_validation_epoch_end(trainer, pl_module)
        self.validating = False

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Put the weights back, before a checkpoint takes the average for them."""
        if self.validating:
            self.on_validation_epoch_end(trainer, pl_module)


@contextmanager
def averaged_weights(trainer: Trainer) -> Iterator[None]:
    """Put the weights that a fit validates into the model, for what is not a validation."""
    kept = [c for c in trainer.callbacks if isinstance(c, WeightAveraging) and c._average_model]  # pyright: ignore[reportAttributeAccessIssue]
    for average in kept:
        average._swap_models(trainer.lightning_module)
    try:
        yield
    finally:
        for average in kept:
            average._swap_models(trainer.lightning_module)


def moving_average(decay: float) -> Average:
    """What `torch.optim.swa_utils.AveragedModel` calls at each step.

    Torch's own, as Lightning's `EMAWeightAveraging` uses it, rounds where nothing changes: at a
    decay of 0.9999 the average of frozen weights drifts off by 2e-4 in 20,000 steps. The average of
    equal weights is equal to them here.
    """

    def update(averages: list[Tensor], weights: list[Tensor], num_averaged: Tensor) -> None:
        if not averages[0].is_floating_point():  # batches that a norm has seen
            torch._foreach_copy_(averages, weights)  # pyright: ignore[reportPrivateImportUsage]
            return
        kept = ((1 + num_averaged) / (10 + num_averaged)).clamp(max=decay)
        steps = torch._foreach_sub(weights, averages)  # pyright: ignore[reportPrivateImportUsage]
        torch._foreach_mul_(steps, 1 - kept)  # pyright: ignore[reportPrivateImportUsage]
        torch._foreach_add_(averages, steps)  # pyright: ignore[reportPrivateImportUsage]

    return update
