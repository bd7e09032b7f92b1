"""The image-classification task."""

from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.utilities.types import STEP_OUTPUT, OptimizerLRScheduler
from torch import Tensor

from models.backbones.backbone import Backbone
from models.evaluation.counts import EvaluationCounts, TrainingSums
from models.evaluation.metrics import METRICS, metrics_for
from models.factories import (
    HeadCallable,
    LossCallable,
    drop_unknown,
    from_command_line,
    network_of,
    shared,
)
from models.head import Head
from models.losses.loss import CrossEntropy
from models.optimization.optimization import Optimization, step_on_plateau
from models.optimization.parameter_groups import group_parameters, scaled_rates
from models.optimization.schedules import Schedule
from models.run import (
    check_finite,
    class_counts_of,
    log_parameter_counts,
    num_steps_of,
    reseed_step,
)
from models.views import logits_of_views

Batch = Sequence[Tensor]  # images, labels, indices, as `ImageDataModule` describes them


class ImageClassifier(LightningModule):
    """A backbone, a head on top of it, and how the two are trained.

    Logs `<stage>/loss` and `<stage>/accuracy` for train, val and test, `<stage>/f1_macro` for
    val and test, and `train/loss_step`.

    Args:
        backbone: Network that turns images in [0, 1] into features.
        num_classes: Logits of the head; the command line takes it from the data.
        head: Builds the head from the numbers of features and classes.
        loss: Builds the loss from the class counts of the training set.
        optimizer: Builds the optimizer from named parameter groups, head last.
        lr_scheduler: A `Schedule`, or builds a scheduler of torch; None keeps the rates.
        optimization: What holds for any optimizer and scheduler.
        compile: Compile the network with `torch.compile`, or with the backend of it that is named.
        channels_last: Keep images and weights with their channels last, which suits tensor cores.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        head: HeadCallable = Head,
        loss: LossCallable = CrossEntropy,
        optimizer: OptimizerCallable = torch.optim.AdamW,
        lr_scheduler: Schedule | LRSchedulerCallable | None = None,
        optimization: Optimization = Optimization(),
        compile: bool | str = False,
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        if from_command_line():  # `load_from_checkpoint` builds it again from plain values
            self.save_hyperparameters(logger=False)
            drop_unknown(self.hparams["backbone"], type(backbone))
        self.layout = torch.channels_last if channels_last else torch.preserve_format
        self.backbone = backbone.to(memory_format=self.layout)  # pyright: ignore[reportCallIssue]
        self.head = head(backbone.num_features, num_classes)
        self.make_loss, self.make_optimizer = shared(loss), shared(optimizer)
        self.make_lr_scheduler = shared(lr_scheduler) if callable(lr_scheduler) else lr_scheduler
        self.optimization = optimization
        self.network = network_of(compile)
        self.num_classes = num_classes

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1], (N, num_channels, H, W), to logits (N, num_classes)."""
        return self.features_and_logits(images)[1]

    def features_and_logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the head is given, (N, num_features), and what it makes of it."""
        features = self.backbone(images.to(memory_format=self.layout))
        return features, self.head(features)

    def setup(self, stage: str) -> None:
        """Build the loss, now that the training set and with it the class counts are known."""
        self.loss = self.make_loss(class_counts_of(self.trainer))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Hand over every parameter; a frozen one has no gradient."""
        return self.optimization.configure(
            self.make_optimizer,
            self.make_lr_scheduler,
            self.parameter_groups(),
            lambda: num_steps_of(self.trainer),
        )

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Named groups of the optimizer, from the input to the head; see `group_parameters`."""
        own = dict(self.backbone.named_parameters())
        stages = {s: [own[n] for n in names] for s, names in self.backbone.stages().items()}
        stages["head"] = [*self.head.parameters()]
        return group_parameters(stages, self.optimization.decay_all)

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None
    ) -> None:
        """Step, at lower rates while they warm up."""
        with scaled_rates(optimizer, self.optimization.warmup_factor(self.trainer)):
            optimizer.step(closure=optimizer_closure)

    def on_train_start(self) -> None:
        """Begin to count; a fit that resumes in an epoch has no start of this epoch."""
        self.train_sums = TrainingSums(self.device)

    def on_train_epoch_start(self) -> None:
        """Log what this epoch trains, and how fast."""
        log_parameter_counts(self.trainer, self)
        rates = self.optimization.rates(self.trainer).items()
        self._log({f"lr/{stage}": rate for stage, rate in rates})

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Draw what this step draws from its place alone."""
        reseed_step(self.trainer, batch_idx)

    def training_step(self, batch: Batch, batch_idx: int) -> STEP_OUTPUT:
        """Return the loss to minimise, and the logits for callbacks."""
        images, labels, _ = batch
        logits = self._logits(images)
        loss = self.loss(logits, labels)
        self.train_sums.update(loss.detach(), logits.detach(), labels)
        # On logging steps only: a `self.log` costs half a millisecond, and the progress bar waits
        # for the device.
        if self.trainer.global_step % self.trainer.log_every_n_steps == 0:  # pyright: ignore[reportAttributeAccessIssue]
            self.log("train/loss_step", loss, prog_bar=True, on_step=True, on_epoch=False)
        return {"loss": loss, "logits": logits.detach()}

    def on_before_backward(self, loss: Tensor) -> None:
        """Keep the weights of the last step that had a loss."""
        check_finite(loss, self.trainer)

    def on_train_epoch_end(self) -> None:
        """Log the means over the epoch."""
        loss, hits, count = self.trainer.strategy.reduce(self.train_sums.values, reduce_op="sum")
        if count > 0:  # else the epoch was resumed after its last batch
            self._log({"train/loss": loss / count})
            self._log({"train/accuracy": hits / count}, prog_bar=True)
            step_on_plateau(self.trainer)
        self.train_sums.values.zero_()

    def on_validation_epoch_start(self) -> None:
        """Forget the last pass; until here the callbacks can read it."""
        self.counts = EvaluationCounts(self.num_classes, self.device)

    def validation_step(self, batch: Batch, batch_idx: int) -> STEP_OUTPUT:
        """Count, and return logits and features for callbacks."""
        images, labels, _ = batch
        outputs = self._evaluate(images)
        if len(labels):  # none is left if no image of the batch could be read
            loss = self.loss(outputs["logits"], labels)
            self.counts.update(loss, outputs["logits"], labels)
        return outputs

    on_test_epoch_start = on_validation_epoch_start
    test_step = validation_step

    def on_validation_epoch_end(self) -> None:
        """Log what follows from the counts."""
        self._log_evaluation("val")

    def on_test_epoch_end(self) -> None:
        """See `on_validation_epoch_end`."""
        self._log_evaluation("test")

    def predict_step(self, batch: Batch, batch_idx: int) -> STEP_OUTPUT:
        """Return the logits, and the features if each image is seen once."""
        return self._evaluate(batch[0])

    def _logits(self, images: Tensor) -> Tensor:
        return self.network(self, images)[1]

    def _evaluate(self, images: Tensor) -> dict[str, Tensor]:
        if images.ndim == 4 and len(images):
            features, logits = self.network(self, images)
            return {"logits": logits, "features": features}
        return {"logits": logits_of_views(self._logits, images, self.num_classes)}

    def _log_evaluation(self, stage: str) -> None:
        counts = self.counts.total(self.trainer.strategy)
        for metric in metrics_for(self.num_classes):
            value = metric.value(counts)
            self._log({f"{stage}/{metric.name}": value}, prog_bar=metric is METRICS[0])

    def _log(self, metrics: dict[str, Any], prog_bar: bool = False) -> None:
        # They were reduced over the processes already. With `sync_dist` the progress bar of one
        # process would wait for the others, which show none.
        self.log_dict(metrics, prog_bar=prog_bar, on_step=False, on_epoch=True)
