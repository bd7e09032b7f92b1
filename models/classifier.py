"""The image-classification task."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.core.mixins.hparams_mixin import _given_hyperparameters
from lightning.pytorch.utilities.types import STEP_OUTPUT, OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassConfusionMatrix

from models.backbone import Backbone
from models.head import Head
from models.loss import CrossEntropy
from models.metrics import RunningSums, accuracy, f1_macro
from models.randomness import reseed
from models.views import logits_of_views

Batch = Sequence[Tensor]  # images, labels, indices, as `ImageDataModule` describes them
HeadCallable = Callable[[int, int], nn.Module]  # (num_features, num_classes) -> head
LossCallable = Callable[[Sequence[int]], nn.Module]  # (class_counts) -> loss(logits, labels)


class ImageClassifier(LightningModule):
    """A backbone, a head on top of it, and how the two are trained.

    Logs `<stage>/loss` and `<stage>/accuracy` for train, val and test, `<stage>/f1_macro` for
    val and test, and `train/loss_step`. `confusion` keeps the counts of the last val or test
    pass for the callbacks: rows are true classes.

    Args:
        backbone: Network that turns images in [0, 1] into features.
        num_classes: Logits of the head; the command line takes it from the data.
        head: Builds the head from the numbers of features and classes.
        loss: Builds the loss from the class counts of the training set.
        optimizer: Builds the optimizer from one named parameter group a stage, head last.
        lr_scheduler: Builds the learning-rate scheduler, which is stepped every epoch.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        head: HeadCallable = Head,
        loss: LossCallable = CrossEntropy,
        optimizer: OptimizerCallable = torch.optim.AdamW,
        lr_scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        super().__init__()
        # From the command line they are plain values, from which `load_from_checkpoint` builds the
        # classifier again; objects made in Python have no place in a checkpoint.
        if _given_hyperparameters.get() is not None:
            self.save_hyperparameters(logger=False)
        self.backbone = backbone
        self.head = head(backbone.num_features, num_classes)
        self.make_loss = loss
        self.make_optimizer = optimizer
        self.make_lr_scheduler = lr_scheduler
        self.eval_loss = MeanMetric()
        self.confusion = MulticlassConfusionMatrix(num_classes, validate_args=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1], (N, num_channels, H, W), to logits (N, num_classes)."""
        return self.head(self.backbone(images))

    def setup(self, stage: str) -> None:
        """Build the loss, now that the training set and with it the class counts are known.

        Raises:
            TypeError: If the trainer was given loaders instead of a datamodule.
        """
        data: Any = self.trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
        if data is None:
            raise TypeError(
                "ImageClassifier needs the class counts of a datamodule: call "
                "trainer.fit(model, datamodule) instead of giving it loaders."
            )
        self.loss = self.make_loss(data.class_counts)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Hand over every parameter, in one named group a stage; a frozen one has no gradient."""
        optimizer = self.make_optimizer(self.parameter_groups())
        if self.make_lr_scheduler is None:
            return optimizer
        scheduler = self.make_lr_scheduler(optimizer)
        if isinstance(
            scheduler, ReduceLROnPlateau
        ):  # Lightning's knows its metric, torch's does not
            monitored = {
                "scheduler": scheduler,
                "monitor": getattr(scheduler, "monitor", "val/loss"),
            }
            return {"optimizer": optimizer, "lr_scheduler": monitored}  # pyright: ignore[reportReturnType]
        return [optimizer], [scheduler]

    def parameter_groups(self) -> list[dict[str, Any]]:
        """One optimizer group a stage, from the input to the head."""
        parameters = dict(self.backbone.named_parameters())
        stages = self.backbone.stages().items()
        groups = [{"name": s, "params": [parameters[n] for n in names]} for s, names in stages]
        return [*groups, {"name": "head", "params": list(self.head.parameters())}]

    def on_train_start(self) -> None:
        """Begin to count; a fit that resumes in an epoch has no start of this epoch."""
        self.train_sums = RunningSums(self.device)

    def on_train_epoch_start(self) -> None:
        """Log what this epoch trains, and how fast."""
        total = sum(parameter.numel() for parameter in self.parameters())
        trainable = sum(p.numel() for p in self.parameters() if p.requires_grad)
        self._log({"params/total": float(total), "params/trainable": float(trainable)})
        [optimizer] = self.trainer.optimizers
        self._log({f"lr/{group['name']}": group["lr"] for group in optimizer.param_groups})

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Make what a step draws a function of its place, never of what was drawn before.

        So a run repeats bit for bit wherever it was interrupted, and whatever is drawn between
        two steps, by validation or by a callback, does not change it.
        """
        seed = int(os.environ.get("PL_GLOBAL_SEED", "0"))
        reseed(self.device, seed, self.current_epoch, batch_idx, self.global_rank)

    def training_step(self, batch: Batch, batch_idx: int) -> STEP_OUTPUT:
        """Return the loss to minimise, and the logits for callbacks."""
        images, labels, _ = batch
        logits = self(images)
        loss = self.loss(logits, labels)
        self.train_sums.update(loss.detach(), logits.detach(), labels)
        # On logging steps only: a `self.log` costs half a millisecond, and the progress bar waits
        # for the device.
        if self.trainer.global_step % self.trainer.log_every_n_steps == 0:  # pyright: ignore[reportAttributeAccessIssue]
            self.log("train/loss_step", loss, prog_bar=True, on_step=True, on_epoch=False)
        return {"loss": loss, "logits": logits.detach()}

    def on_before_backward(self, loss: Tensor) -> None:
        """Stop before a loss that is no number ruins the weights, so that the last are kept.

        Raises:
            ValueError: If the loss is infinite or not a number.
        """
        if not torch.isfinite(loss):
            raise ValueError(
                f"The loss is {loss.item()} in epoch {self.current_epoch}, step {self.global_step}."
                " Try a lower learning rate, or trainer.gradient_clip_val: 1.0."
            )

    def on_train_epoch_end(self) -> None:
        """Log the means over the epoch."""
        loss, hits, count = self.trainer.strategy.reduce(self.train_sums.values, reduce_op="sum")
        if count > 0:  # else the epoch was resumed after its last batch
            self._log({"train/loss": loss / count})
            self._log({"train/accuracy": hits / count}, prog_bar=True)
        self.train_sums.values.zero_()

    def on_validation_epoch_start(self) -> None:
        """Forget the last pass; until here the callbacks can read it."""
        self.eval_loss.reset()
        self.confusion.reset()

    def validation_step(self, batch: Batch, batch_idx: int) -> STEP_OUTPUT:
        """Count, and return the logits for callbacks."""
        images, labels, _ = batch
        logits = logits_of_views(self, images, self.confusion.num_classes)
        if len(labels):  # none is left if no image of the batch could be read
            self.eval_loss.update(self.loss(logits, labels), len(labels))
            self.confusion.update(logits, labels)
        return {"logits": logits}

    on_test_epoch_start = on_validation_epoch_start
    test_step = validation_step

    def on_validation_epoch_end(self) -> None:
        """Log what follows from the counts."""
        self._log_evaluation("val")

    def on_test_epoch_end(self) -> None:
        """See `on_validation_epoch_end`."""
        self._log_evaluation("test")

    def predict_step(self, batch: Batch, batch_idx: int) -> STEP_OUTPUT:
        """Return the logits."""
        return {"logits": logits_of_views(self, batch[0], self.confusion.num_classes)}

    def _log_evaluation(self, stage: str) -> None:
        counts = self.confusion.compute().cpu()  # in double, which not every accelerator has
        self._log(
            {f"{stage}/loss": self.eval_loss.compute(), f"{stage}/f1_macro": f1_macro(counts)}
        )
        self._log({f"{stage}/accuracy": accuracy(counts)}, prog_bar=True)

    def _log(self, metrics: dict[str, Any], prog_bar: bool = False) -> None:
        # They were reduced over the processes already. With `sync_dist` the progress bar of one
        # process would wait for the others, which show none.
        self.log_dict(metrics, prog_bar=prog_bar, on_step=False, on_epoch=True)
