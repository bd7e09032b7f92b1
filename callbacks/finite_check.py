"""Finite check: losses, gradients and weights that are not finite stop a fit, or skip its step."""

from contextlib import suppress
from typing import Any, Literal

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerStatus
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor
from torch.optim import Optimizer

from callbacks.finite_validation import NonfiniteImages
from callbacks.interruption import keep_earlier_checkpoints
from callbacks.step_record import StepRecord, nonfinite_state
from callbacks.tracking import log_tag, log_text
from callbacks.trainer_parts import classifier_of, data_of

EVERY = 10  # steps between two looks at the device, and agreements of the processes
MAX_SKIPPED = 50  # steps in a row
TAG = "nonfinite"  # of the run
SKIPPED = "skipped_steps"  # in a checkpoint
REMEDY = "Try a lower learning rate, or trainer.gradient_clip_val: 1.0"


class FiniteCheck(Callback):
    """Stops a fit whose loss, gradients or weights are not finite, and saves none of them.

    A GPU is not waited for at each step: what steps record on it is read every `EVERY` steps, and
    before a validation and each checkpoint. On a CPU it is read before the step. With 16-bit
    gradients that are scaled, an infinite one belongs to the scaling, and only the loss is checked.
    A validation whose metrics are not finite is a warning, and the tag `nonfinite` of the run.

    Args:
        on_nonfinite: `stop` ends the fit with an error that says step, images and layer. `skip`
            leaves the step out: neither weights nor statistics of batch norms nor the state of the
            optimizer change. It waits for the device at each step, and stops after `MAX_SKIPPED`
            steps in a row.
    """

    def __init__(self, on_nonfinite: Literal["stop", "skip"] = "stop") -> None:
        self.on_nonfinite = on_nonfinite
        self.skipped = self._in_a_row = 0
        self._steps: list[StepRecord] = []  # since the last look
        self._before: StepRecord | None = None  # the step before them, which was finite
        self._batches: list[Tensor] = []  # indices of the images of the present step
        self._losses: list[Tensor] = []
        self._kept: list[tuple[Tensor, Tensor]] = []  # tensors and what they were before the step
        self._validation = NonfiniteImages()

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Go on counting the skipped steps of a resumed run."""
        self.skipped = checkpoint.get(SKIPPED, 0)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Remember the images; to skip a step, also what its forward pass changes."""
        if self.on_nonfinite == "skip" and not self._batches:
            tensors = [*pl_module.buffers(), classifier_of(pl_module).train_sums.values]
            self._kept = [(tensor, tensor.clone()) for tensor in tensors]
        self._batches.append(batch[2])

    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        """Remember the loss."""
        self._losses.append(loss.detach())

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Record the step, and look at it or skip it when it is time."""
        scaled = getattr(trainer.precision_plugin, "scaler", None) is not None
        step = StepRecord.of(trainer, optimizer, self._losses, self._batches, scaled)
        self._steps.append(step)
        self._losses, self._batches = [], []
        if self.on_nonfinite == "skip":
            self._skip_if_bad(trainer, pl_module)
        elif self._is_due(pl_module):
            self._look(trainer, pl_module)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look before a validation."""
        if not trainer.sanity_checking:
            self._look(trainer, pl_module)
            self._validation = NonfiniteImages()

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Mark images whose logits are not finite."""
        self._validation.add(outputs["logits"], batch[2])

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Warn of metrics that are not finite, and tag the run."""
        if trainer.sanity_checking:
            return
        epoch = trainer.current_epoch
        if warning := self._validation.warning(trainer.callback_metrics, data_of(trainer), epoch):
            rank_zero_warn(warning)
            log_tag(trainer, TAG, f"validation of epoch {epoch}")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look before the metrics of the epoch are logged."""
        self._look(trainer, pl_module)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Refuse to save what is not finite."""
        checkpoint[SKIPPED] = self.skipped
        if trainer.state.status == TrainerStatus.INTERRUPTED:  # `on_exception` has looked
            return
        self._look(trainer, pl_module)
        if name := nonfinite_state(pl_module, trainer.optimizers):
            raise ValueError(
                f"{name} is not finite after step {trainer.global_step - 1}, although loss and "
                f"gradients are: no checkpoint is saved, and the last one is intact. {REMEDY}."
            )

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Save no checkpoint if it would not be finite, or if the device cannot say."""
        if not self._steps and self._before is None:
            return
        with suppress(RuntimeError):  # of a device that has failed
            first = next((step for step in self._steps if step.is_bad()), None)
            if first is None and nonfinite_state(pl_module, trainer.optimizers) is None:
                return
        keep_earlier_checkpoints(trainer)

    def _is_due(self, module: LightningModule) -> bool:
        return len(self._steps) >= EVERY or module.device.type == "cpu"

    def _look(self, trainer: Trainer, module: LightningModule) -> None:
        """Stop if a step since the last look was not finite; all processes at the same one.

        Raises:
            ValueError: If it was.
        """
        bad = StepRecord.first_bad(self._steps)
        if trainer.strategy.reduce_boolean_decision(bad is not None, all=False):
            raise ValueError(
                f"{self._explain(trainer, module, bad)} No checkpoint is saved since "
                f"then, and the last one is intact. {REMEDY}, or --on_nonfinite skip."
            )
        self._keep_last()

    def _skip_if_bad(self, trainer: Trainer, module: LightningModule) -> None:
        bad = StepRecord.first_bad(self._steps)
        if not trainer.strategy.reduce_boolean_decision(bad is not None, all=False):
            self._in_a_row = 0
            self._keep_last()
            return
        explained = self._explain(trainer, module, bad)
        self.skipped, self._in_a_row = self.skipped + 1, self._in_a_row + 1
        if self._in_a_row > MAX_SKIPPED:
            raise ValueError(f"{explained} {MAX_SKIPPED} steps before it were skipped. {REMEDY}.")
        for parameter in self._steps.pop().parameters:
            parameter.grad = None  # so that no optimizer changes it, nor its state
        classifier_of(module).train_sums.count()  # what waits is of this step
        for tensor, kept in self._kept:
            tensor.copy_(kept)
        rank_zero_warn(f"{explained} The step is skipped, the {self.skipped}. so far.")
        log_tag(trainer, TAG, f"{self.skipped} steps skipped")

    def _keep_last(self) -> None:
        """Forget all steps but the last, which a message about the next one names."""
        if self._steps:
            self._before, self._steps = self._steps[-1], []

    def _explain(self, trainer: Trainer, module: LightningModule, bad: int | None) -> str:
        if bad is None:
            return "The loss or a gradient is not finite in another process."
        step, before = self._steps[bad], self._steps[bad - 1] if bad else self._before
        names = [data_of(trainer).sources["train"].names[i] for i in step.indices()]
        file = f"nonfinite/images_of_step_{step.number}.txt"
        log_text(trainer, "\n".join([*names, ""]), file)
        return step.explain(module, names, before)
