"""Progressive unfreezing: train more stages of the network, from output to input, over time."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy
from lightning.pytorch.utilities import rank_zero_info
from torch import nn

from callbacks.figure_kind import FigureKind
from callbacks.picture_gallery import PictureGallery
from callbacks.plots import plot_unfreezing
from callbacks.tracking import log_figure, metric_history
from callbacks.trainer_parts import classifier_of
from models import ImageClassifier
from models.freezing import (
    HEAD,
    batch_norms,
    boundary_at,
    freeze_before,
    share_free,
    stage_names,
)
from models.optimization.parameter_groups import stage_of


@dataclass(eq=False)
class ProgressiveUnfreezing(Callback):
    """Train the network from a boundary to its output, and move the boundary at given epochs.

    A boundary is the name of a parameter, module or stage of the backbone, `head`, or `all`. It and
    everything after it trains; everything before it is frozen, including batch norms. What trains
    depends on the epoch alone, so that resuming needs no state. With a single entry the boundary
    never moves. `figures/unfreezing.png` is logged when the fit ends.

    Attributes:
        train_from: Boundary by the epoch from which it holds, starting with 0. `auto` starts with
            the head and unfreezes one more stage of the backbone every `every_n_epochs`.
        learning_rate: Learning rate of the head by the epoch from which it holds, instead of a
            scheduler; None leaves the rates to the optimizer and its scheduler.
        stage_decay: With `learning_rate`: rate of a stage relative to the stage after it.
        every_n_epochs: Epochs after which `auto` unfreezes the next stage.
        keep_statistics: Whether the batch norms of the backbone keep their means and variances when
            they train, too: those of pretrained weights are better than those of a few images.
    """

    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("unfreezing", "course"),)

    train_from: dict[int, str] | Literal["auto"] = "auto"
    learning_rate: dict[int, float] | None = None
    stage_decay: float = 1.0
    every_n_epochs: int = 1
    keep_statistics: bool = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Check the settings against the network, and freeze before the optimizer is built.

        Raises:
            ValueError: If a boundary is not in the network, the epochs do not start with 0, there
                are two sources of learning rates, or the strategy shards parameters.
        """
        if stage != "fit":
            return
        classifier = classifier_of(pl_module)
        if not isinstance(trainer.strategy, SingleDeviceStrategy | DDPStrategy):
            kind = type(trainer.strategy).__name__
            raise ValueError(f"ProgressiveUnfreezing works on one device or with DDP, got {kind}.")
        if self.learning_rate and classifier.make_lr_scheduler is not None:
            raise ValueError(
                "Learning rates are set by ProgressiveUnfreezing.learning_rate and by "
                "model.lr_scheduler; expected one of them."
            )
        if self.stage_decay != 1 and not self.learning_rate:
            raise ValueError(
                "stage_decay needs learning_rate; else use model.optimization.stage_decay."
            )
        self.boundaries = self._schedule(classifier)
        for name, epochs in (("train_from", self.boundaries), ("learning_rate", self._rates)):
            if epochs and (0 not in epochs or min(epochs) < 0):
                given = ", ".join(map(str, sorted(epochs)))
                raise ValueError(f"{name} has to start with epoch 0; its epochs are {given}.")
        for boundary in self.boundaries.values():
            freeze_before(boundary, classifier)  # all of them, so that a typo is reported now
        self.boundary = boundary_at(0, self.boundaries)
        self.norms = self._freeze(classifier)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Move the boundary for a fit that resumes in the middle of an epoch: it has no start."""
        self._move(trainer, classifier_of(pl_module))

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Move the boundary and set the learning rates of this epoch."""
        classifier, epoch = classifier_of(pl_module), trainer.current_epoch
        self._move(trainer, classifier)
        if epoch in self.boundaries:
            [optimizer] = trainer.optimizers
            groups = optimizer.param_groups
            rank_zero_info(_announcement(epoch, self.boundary, classifier, groups))

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Keep frozen batch norms in eval mode, even if something called `train()`."""
        for norm in self.norms:
            norm.training = False

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the learning rate of each stage over the epochs, unless pictures are off."""
        callbacks = trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
        if any(isinstance(each, PictureGallery) and not each.draws for each in callbacks):
            return
        classifier = classifier_of(pl_module)
        names = stage_names(classifier)
        rates = {name: dict(metric_history(trainer, f"lr/{name}")) for name in names}
        if not any(rates.values()):
            return
        epochs = range(max(max(points) for points in rates.values() if points) + 1)
        shares = [self.shares(epoch, classifier) for epoch in epochs]
        speeds = [[rates[name].get(epoch, float("nan")) for epoch in epochs] for name in names]
        figure = plot_unfreezing(
            names, [[share[name] for share in shares] for name in names], speeds
        )
        log_figure(trainer, figure, "unfreezing")

    def shares(self, epoch: int, classifier: ImageClassifier) -> dict[str, float]:
        """Share of the parameters of each stage that train in an epoch, in [0, 1]."""
        return share_free(boundary_at(epoch, self.boundaries), classifier)

    def _move(self, trainer: Trainer, classifier: ImageClassifier) -> None:
        epoch = trainer.current_epoch
        [optimizer] = trainer.optimizers
        if self._rates:
            rate, names = boundary_at(epoch, self._rates), stage_names(classifier)
            for group in optimizer.param_groups:
                behind = len(names) - 1 - names.index(stage_of(group))
                group["lr"] = rate * self.stage_decay**behind
        boundary = boundary_at(epoch, self.boundaries)
        for norm in self.norms:
            norm.training = True  # Lightning restores the modes after a validation
        moved, self.boundary = boundary != self.boundary, boundary
        self.norms = self._freeze(classifier)
        if moved:
            _wrap_again(trainer)

    def _freeze(self, classifier: ImageClassifier) -> list[nn.Module]:
        """Freeze what is before the boundary; return the batch norms whose statistics stay."""
        norms = freeze_before(self.boundary, classifier)
        return batch_norms(classifier.backbone) if self.keep_statistics else norms

    @property
    def _rates(self) -> dict[int, float]:
        return self.learning_rate or {}

    def _schedule(self, classifier: ImageClassifier) -> dict[int, str]:
        if self.train_from != "auto":
            return self.train_from
        if self.every_n_epochs < 1:
            raise ValueError(f"every_n_epochs is {self.every_n_epochs}; expected 1 or more.")
        stages = [*reversed(stage_names(classifier))]
        return {step * self.every_n_epochs: name for step, name in enumerate(stages)}


def _wrap_again(trainer: Trainer) -> None:
    """Wrap the model in DDP again: it only reduces gradients that were on when it was wrapped."""
    strategy = trainer.strategy
    if isinstance(strategy, DDPStrategy):
        strategy.model = strategy._setup_model(trainer.lightning_module)
        strategy._register_ddp_hooks()


def _announcement(
    epoch: int, boundary: str, classifier: ImageClassifier, groups: list[dict[str, Any]]
) -> str:
    counts = [(p.numel(), p.requires_grad) for p in classifier.parameters()]
    free, total = sum(n for n, trains in counts if trains), sum(n for n, _ in counts)
    rate = next(group["lr"] for group in groups if stage_of(group) == HEAD)
    what = {0: f"trains from {boundary}"}.get(epoch, f"{boundary} trains too")
    return f"epoch {epoch}: {what}, {free:,} of {total:,} parameters, lr {rate:g}"
