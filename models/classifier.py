"""Image classifier: the LightningModule that trains a backbone and a head."""

from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.utilities.types import STEP_OUTPUT, OptimizerLRScheduler
from torch import Tensor

from models.backbones.backbone import Backbone
from models.evaluation.counts import EvaluationCounts
from models.evaluation.metrics import METRICS, metrics_for
from models.evaluation.training_sums import TrainingSums
from models.evaluation.uncertainty import (
    UNCERTAINTY,
    Uncertainty,
    read_uncertainty,
    similarity_output,
)
from models.factories import (
    HeadCallable,
    LossCallable,
    drop_unknown,
    forward_function,
    from_command_line,
    shared,
)
from models.head import Head
from models.losses.loss import CrossEntropy
from models.optimization.optimization import DEFAULT_OPTIMIZER, Optimization, step_on_plateau
from models.optimization.parameter_groups import group_parameters, scaled_rates
from models.optimization.schedules import Schedule, follow_schedules, num_steps_of
from models.precision import FLOAT32
from models.randomness import reseed_step
from models.training import batch_norm_hint, class_counts_of
from models.training_metrics import log_epoch_end, log_epoch_start, log_mean, log_step
from models.views import logits_of_views

Batch = Sequence[Tensor]  # images, labels, indices; see `ImageDataModule`
SUMS, PRECISION = "train_sums", "precision_of_fit"  # in a checkpoint


class ImageClassifier(LightningModule):
    """A backbone with a head, and the way they are trained.

    Logs `train/loss`, `train/accuracy` and `train/loss_step`, and the metrics of `METRICS` as
    `val/<name>` and `test/<name>`.

    Args:
        backbone: Network that maps images in [0, 1] to features.
        num_classes: Number of logits; the command line takes it from the data.
        head: Builds the head from the numbers of features and classes.
        loss: Builds the loss from the class counts of the training set.
        optimizer: Builds the optimizer from named parameter groups, the head last.
        lr_scheduler: A `Schedule`, or builds a scheduler of torch; None keeps the rates constant.
        optimization: Settings that apply to any optimizer and scheduler.
        compile: Whether to compile the network with `torch.compile`, or the name of its backend.
        channels_last: Store images and weights with their channels last, which suits tensor cores.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        head: HeadCallable = Head,
        loss: LossCallable = CrossEntropy,
        optimizer: OptimizerCallable = DEFAULT_OPTIMIZER,
        lr_scheduler: Schedule | LRSchedulerCallable | None = None,
        optimization: Optimization = Optimization(),
        compile: bool | str = False,
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        if from_command_line():  # so that `load_from_checkpoint` can build it again
            self.save_hyperparameters(logger=False)
            drop_unknown(self.hparams["backbone"], type(backbone))
        self.layout = torch.channels_last if channels_last else torch.preserve_format
        self.backbone = backbone.to(memory_format=self.layout)  # pyright: ignore[reportCallIssue]
        self.head = head(backbone.num_features, num_classes)
        self.make_loss, self.make_optimizer = shared(loss), shared(optimizer)
        self.make_lr_scheduler = shared(lr_scheduler) if callable(lr_scheduler) else lr_scheduler
        self.optimization = optimization
        self.compiled_forward = forward_function(compile)
        self.num_classes = num_classes
        self.uncertainty: Uncertainty | None = None  # of these very weights
        self.precision_of_fit = FLOAT32

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1], (N, num_channels, H, W), to logits (N, num_classes)."""
        return self.features_and_logits(images)[1]

    def features_and_logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, num_features), or those given as images, and logits (N, num_classes)."""
        images = images.to(self.dtype)  # bf16-true: Lightning casts before they are normalised
        given = images.ndim == 2  # by a fit whose backbone is frozen
        features = images if given else self.backbone(images.to(memory_format=self.layout))
        return features, self.head(features)

    def setup(self, stage: str) -> None:
        """Build the loss, since the class counts of the training set are known now."""
        self.precision_of_fit = self.trainer.precision
        self.loss = self.make_loss(class_counts_of(self.trainer))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build optimizer and scheduler for all parameters; frozen ones have no gradient."""
        return self.optimization.configure(
            self.make_optimizer,
            self.make_lr_scheduler,
            self.parameter_groups(),
            lambda: num_steps_of(self.trainer),
        )

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Named parameter groups, from the input to the head; see `group_parameters`."""
        own = dict(self.backbone.named_parameters())
        stages = {s: [own[n] for n in names] for s, names in self.backbone.stages().items()}
        stages["head"] = [*self.head.parameters()]
        return group_parameters(stages, self.optimization.decay_all)

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None
    ) -> None:
        """Step the optimizer, with lower rates during the warm-up."""
        if not self.optimization.warmup_epochs:
            optimizer.step(closure=optimizer_closure)
            return
        with scaled_rates(optimizer, self.optimization.warmup_factors(self.trainer)):
            optimizer.step(closure=optimizer_closure)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the sums of this epoch, the uncertainty, and the precision."""
        checkpoint[PRECISION] = self.precision_of_fit
        if hasattr(self, "train_sums"):
            checkpoint[SUMS] = self.train_sums.saved(self.trainer)
        if self.uncertainty is not None:
            checkpoint[UNCERTAINTY] = self.uncertainty.saved()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """See `on_save_checkpoint`; earlier versions saved none of them."""
        self.saved_sums = checkpoint.get(SUMS)
        self.uncertainty = read_uncertainty(checkpoint)
        if self._trainer is None:  # else that of the trainer holds
            self.precision_of_fit = checkpoint.get(PRECISION, FLOAT32)

    def on_train_start(self) -> None:
        """Continue the sums and the schedule of a fit that is resumed; else, start them."""
        self.train_sums = TrainingSums(self.device)
        if self.trainer.ckpt_path:
            follow_schedules(self.trainer)
            self.train_sums.restore(self.saved_sums, self.trainer.strategy)

    def on_train_epoch_start(self) -> None:
        """Log the numbers of parameters that train in this epoch, and their learning rates."""
        log_epoch_start(self, self.optimization.rates(self.trainer))

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed the random numbers of this step; see `reseed_step`."""
        reseed_step(self.trainer, batch_idx)

    @batch_norm_hint()
    def training_step(self, batch: Batch, batch_idx: int) -> STEP_OUTPUT:
        """Return the loss, and the logits for callbacks."""
        images, labels, _ = batch
        logits = self._logits(images)
        loss = self.loss(logits, labels)
        self.train_sums.update(loss.detach(), logits.detach(), labels)
        log_step(self, loss.detach(), batch_idx)
        return {"loss": loss, "logits": logits.detach()}

    def on_train_epoch_end(self) -> None:
        """Log the mean loss and the accuracy of the epoch."""
        loss, hits, count = self.train_sums.total(self.trainer.strategy)
        if count > 0:  # it is 0 if the epoch was resumed after its end
            log_epoch_end(self, {"train/loss": loss / count, "train/accuracy": hits / count})
            step_on_plateau(self.trainer)
        self.train_sums.values.zero_()

    def on_validation_epoch_start(self) -> None:
        """Set the counts to zero."""
        self.counts = EvaluationCounts(self.num_classes, self.device, self.loss)

    def validation_step(self, batch: Batch, batch_idx: int) -> STEP_OUTPUT:
        """Count the predictions, and return logits and features for callbacks."""
        images, labels, _ = batch
        outputs = self._evaluate(images)
        if len(labels):  # there are none if no image of the batch could be read
            self.counts.update(outputs["logits"], labels)
        return outputs

    on_test_epoch_start = on_validation_epoch_start
    test_step = validation_step

    def on_validation_epoch_end(self) -> None:
        """Log the metrics, which follow from the counts."""
        self._log_evaluation("val")

    def on_test_epoch_end(self) -> None:
        """See `on_validation_epoch_end`."""
        self._log_evaluation("test")

    def predict_step(self, batch: Batch, batch_idx: int) -> STEP_OUTPUT:
        """Return the logits, and also the features unless an image has several views."""
        return self._evaluate(batch[0])

    def _logits(self, images: Tensor) -> Tensor:
        return self.compiled_forward(self, images)[1]

    def _evaluate(self, images: Tensor) -> dict[str, Tensor]:
        if images.ndim < 5 and len(images):
            features, logits = self.compiled_forward(self, images)
            more = similarity_output(self.uncertainty, features)
            return {"logits": logits, "features": features} | more
        return {"logits": logits_of_views(self._logits, images, self.num_classes)}

    def _log_evaluation(self, stage: str) -> None:
        counts = self.counts.total(self.trainer.strategy)
        metrics = metrics_for(self.num_classes)
        values = {f"{stage}/{m.name}": m.value(counts) for m in metrics if m.value is not None}
        log_mean(self, values, prog_bar=f"{stage}/{METRICS[0].name}")
