"""A training in float16 with an overflow: its step is skipped, and the fit goes on."""

from collections.abc import Iterator
from typing import Any

import torch
from gpu_data import RepeatedImages
from gpu_machine import Settings
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.plugins.precision import MixedPrecision
from torch import Tensor

from callbacks import FiniteCheck
from models import ImageClassifier, SmallCNN, TorchvisionBackbone

STEPS, BAD = 8, 3  # the step whose gradient is made infinite


class Overflow(Callback):
    """Makes a gradient infinite in one step, and notes scale and weights after each step."""

    def __init__(self) -> None:
        self.scales: list[float] = []
        self.changed: list[bool] = []
        self._weight: Tensor | None = None

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Keep a weight as it is before the step."""
        self._weight = next(pl_module.parameters()).detach().clone()

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Spoil the gradient."""
        if len(self.scales) == BAD:
            gradient = next(pl_module.parameters()).grad
            assert gradient is not None
            gradient.view(-1)[0] = torch.inf

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Note whether the weight has changed, and the scale of the next step."""
        assert isinstance(trainer.precision_plugin, MixedPrecision)
        assert trainer.precision_plugin.scaler is not None
        assert self._weight is not None
        self.changed.append(not torch.equal(self._weight, next(pl_module.parameters())))
        self.scales.append(trainer.precision_plugin.scaler.get_scale())


class Records(FiniteCheck):
    """The check of a fit, which also keeps whether each step counted as not finite."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[Tensor] = []
        self.infinite: list[Tensor] = []

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Any
    ) -> None:
        """See `FiniteCheck`."""
        super().on_before_optimizer_step(trainer, pl_module, optimizer)
        step = self._steps[-1] if self._steps else self._before
        assert step is not None
        self.bad.append(step.is_bad())
        self.infinite.append(~step.norms.isfinite().all())


def overflow(settings: Settings) -> Iterator[dict[str, Any]]:
    """A row per step, from the one before the overflow to the one after it, and one for the end."""
    recorded, spoiled = Records(), Overflow()
    # Lower than usual, so that only the spoiled step overflows.
    scaler = torch.amp.GradScaler(settings.device, init_scale=2.0**10)
    trainer = Trainer(
        accelerator=settings.accelerator,
        devices=1,
        plugins=[MixedPrecision("16-mixed", settings.device, scaler)],
        max_epochs=1,
        limit_val_batches=0,
        callbacks=[recorded, spoiled],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=settings.folder,
    )
    size = 4 if settings.tiny else 32
    backbone = SmallCNN(4) if settings.tiny else TorchvisionBackbone("resnet18")
    optimizer = torch.optim.SGD  # not fused: those unscale gradients themselves
    data = RepeatedImages("memory", STEPS * size, 4, batch_size=size)
    trainer.fit(
        ImageClassifier(backbone, 4, optimizer=lambda groups: optimizer(groups, lr=1e-3)), data
    )
    scales = [float("nan"), *spoiled.scales]
    for step in range(BAD - 1, BAD + 2):
        yield {
            "step": step,
            "gradient is infinite": bool(recorded.infinite[step]),
            "counts as not finite": bool(recorded.bad[step]),
            "weights change": spoiled.changed[step],
            "scale after / before": scales[step + 1] / scales[step],
        }
    yield {"step": "steps of the fit", "done": len(spoiled.scales), "of": STEPS}
