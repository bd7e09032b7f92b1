"""Picture gallery: draws the pictures of a run at their epochs, within a budget."""

import contextlib
import os
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from lightning.pytorch.utilities.exceptions import SIGTERMException
from matplotlib.figure import Figure
from torch import Tensor

from callbacks.first_rank_work import others_wait
from callbacks.inspection_mode import inspection_mode, precision_of
from callbacks.output_recorder import OutputRecorder, Outputs
from callbacks.picture_budget import PictureBudget
from callbacks.pictures.picture import Notice, Picture, PictureContext, PictureOutput, is_due
from callbacks.reduced_pictures import describe_reduced, tag_reduced
from callbacks.tracking import (
    log_figure,
    log_metric,
    log_notice,
    log_step_figure,
    log_table,
    log_tag,
    log_text,
)
from callbacks.trainer_parts import classifier_of, data_of
from callbacks.training_dynamics import DynamicsRecorder
from callbacks.weight_average import averaged_weights
from models.explain import NothingToShow

DEBUG = "LIGHTNING_CLI_DEBUG"


class PictureGallery(Callback):
    """Draw pictures during a fit at the epochs of their `when`, and all of them at its end.

    If a fit validates with averaged weights, the pictures show these. Gradients and outputs are
    computed in the precision of the fit. The metric `time/pictures` counts the seconds that drawing
    has taken since the fit started. During the fit, a picture is skipped if it would exceed the
    budget, which counts work and not seconds; at the end, all are drawn, the costly ones with fewer
    images or steps if the budget does not allow more, and a few not at all if it does not even
    allow that. With a budget of 0 there are only their tables. A picture that fails is a warning in
    a fit, with a tag and its trace in `failed/`, and an error in `validate` and `test`. A request
    to stop is obeyed after the figure at work.

    Args:
        pictures: The pictures to draw, in the order of their importance.
        recorder: Keeps the outputs of the network; it has to come before this callback.
        budget: Share of the work of training that drawing may take, in [0, 1]; see `PictureBudget`.
        dynamics: Knows how the training images were learned; it has to come before this callback.

    Raises:
        ValueError: If `budget` is out of range.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        recorder: OutputRecorder,
        budget: float = 0.05,
        dynamics: DynamicsRecorder | None = None,
    ) -> None:
        self.dynamics = dynamics
        self.pictures, self.recorder, self.budget = pictures, recorder, PictureBudget(budget)
        self.draws = budget > 0
        self.failed: set[Picture] = set()
        self.shown: dict[str, int] = {}  # epoch of the newest image in the grid, by name
        self.spent = 0.0  # seconds
        self.renamed_splits: dict[str, str] = {}  # names in the run of splits that have others here
        self.tested_epoch: int | None = None  # epoch of a checkpoint that is only evaluated
        self.epoch = 0  # the last trained one: the trainer's own counter is one ahead at the end
        self.trained = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Show the pictures the network as it was built, before a checkpoint is loaded."""
        if stage == "fit" and self.draws:
            for picture in self.pictures:
                with contextlib.suppress(NothingToShow):  # reported when it is drawn
                    picture.begin(classifier_of(pl_module), data_of(trainer))

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Estimate the work of training."""
        self.trained = True
        model, data = classifier_of(pl_module), data_of(trainer)
        self.budget.begin(trainer, model, data, self.pictures)
        self.next_epoch = trainer.current_epoch  # the first one that has no pictures yet
        self.shown.clear()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remember the epoch to which the next pictures belong."""
        self.epoch = trainer.current_epoch

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the pictures whose `when` includes this epoch."""
        if trainer.sanity_checking:
            return
        if trainer.state.fn != TrainerFn.FITTING:
            self._draw_all(trainer, pl_module, "val")
            return
        epochs = range(self.next_epoch, self.epoch + 1)
        due = [picture for picture in self.pictures if is_due(picture.when, epochs)]
        if not due or not self.draws or _is_last(trainer):
            return
        self.next_epoch = self.epoch + 1
        outputs = self.recorder.gather(trainer)
        context = self._context(trainer, pl_module, outputs, final=False)
        with others_wait(trainer):
            if trainer.is_global_zero:
                last, budget = trainer.max_epochs, self.budget
                chosen = (p for p in due if budget.allows(p, self.epoch, last))
                allowed = ((p, budget.early_allowance(p, due, last)) for p in chosen)
                self._draw(((p, replace(context, allowance=each)) for p, each in allowed), trainer)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the pictures that there are for the test images."""
        self._draw_all(trainer, pl_module, "test")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw all pictures and log their tables."""
        outputs = self.recorder.gather(trainer)
        with others_wait(trainer):
            if trainer.is_global_zero:
                self._draw_last(trainer, pl_module, outputs)

    def _draw_last(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Outputs | None
    ) -> None:
        context, before = self._context(trainer, pl_module, outputs, final=True), self.spent
        affordable = self.budget.end(self.epoch)
        drawn = affordable if self.draws else self.pictures
        rest = (drawn[index:] for index in range(len(drawn)))
        self._draw(
            ((r[0], replace(context, allowance=self.budget.allowance(r))) for r in rest), trainer
        )
        if self.draws:
            skipped = f" (some skipped, budget {100 * self.budget.share:g} %)"
            rank_zero_info(
                f"Pictures    {before:.1f} s while training{skipped * self.budget.thinned}, "
                f"{self.spent - before:.1f} s at the end{describe_reduced(self.budget)}"
            )
            tag_reduced(trainer, self.budget)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say how to draw the pictures of a fit that was stopped after its last epoch."""
        if self.draws and not self.trained:
            rank_zero_info(
                "Pictures    none, since no epoch was left to train; "
                "`lightning_cli validate --ckpt_path last` draws them"
            )

    def _draw_all(self, trainer: Trainer, module: LightningModule, split: str) -> None:
        outputs = self.recorder.gather(trainer)
        with others_wait(trainer):
            if trainer.is_global_zero:
                context = self._context(trainer, module, outputs, True, split)
                self._draw(((p, context) for p in self.pictures if split in p.splits), trainer)

    def _context(
        self,
        trainer: Trainer,
        module: LightningModule,
        outputs: Outputs | None,
        final: bool,
        split: str = "val",
    ) -> PictureContext:
        def sample(num_images: int) -> tuple[Tensor, Tensor]:
            images, labels = data.sample(num_images)
            return images.to(device), labels.to(device)

        data, device = data_of(trainer), trainer.strategy.root_device
        fitting = trainer.state.fn == TrainerFn.FITTING
        title = f"epoch {self.epoch}" if fitting else self._evaluation_title(split)
        classifier = classifier_of(module)
        learned = self.dynamics.result(trainer) if self.dynamics and fitting and final else None
        names = data.class_names
        return PictureContext(
            classifier, names, sample, title, split, final, outputs, data, dynamics=learned
        )

    def _evaluation_title(self, split: str) -> str:
        """What is evaluated: `validation, epoch 4`, or `test` if the epoch is not known."""
        name = {"val": "validation"}.get(split, split)
        return name if self.tested_epoch is None else f"{name}, epoch {self.tested_epoch}"

    def _draw(self, pictures: Iterable[tuple[Picture, PictureContext]], trainer: Trainer) -> None:
        """Draw pictures one by one; the next is requested only when the last one is done."""
        model = classifier_of(trainer.lightning_module)
        with averaged_weights(trainer), inspection_mode(model), precision_of(trainer):
            for picture, context in pictures:
                _stop_if_asked(trainer)
                started = time.perf_counter()
                with self.budget.charged(picture) as figures:
                    self._draw_one(picture, context, trainer, figures)
                self.spent += time.perf_counter() - started
        if trainer.state.fn == TrainerFn.FITTING and self.draws:
            log_metric(trainer, "time/pictures", self.spent, self.epoch)

    def _draw_one(
        self, picture: Picture, context: PictureContext, trainer: Trainer, figures: list[str]
    ) -> None:
        fitting = trainer.state.fn == TrainerFn.FITTING
        try:
            for output in picture.draw(context) if self.draws else picture.tables(context):
                self._log(picture, output, context, trainer)
                _stop_if_asked(trainer)
                figures += [output[0]] * isinstance(output[1], Figure)
        except NothingToShow as reason:
            if fitting and self.draws and picture not in self.failed:
                rank_zero_warn(str(reason) if figures else f"No picture {picture.name}: {reason}")
            self.failed.add(picture)
        except Exception as error:  # of any kind: a picture must not end a training
            if not fitting or os.environ.get(DEBUG):
                raise
            reason = f"{type(error).__name__}: {error}"
            rank_zero_warn(f"No picture {picture.name}: {reason}")
            log_tag(trainer, f"picture_failed.{picture.name}", reason)
            log_text(trainer, traceback.format_exc(), f"failed/{picture.name}.txt")

    def _log(
        self, picture: Picture, output: PictureOutput, context: PictureContext, trainer: Trainer
    ) -> None:
        name, content = output
        split = self.renamed_splits.get(context.split, context.split)
        fitting = trainer.state.fn == TrainerFn.FITTING
        if isinstance(content, Figure) and fitting and picture.when != "last":
            if self.shown.get(name) != self.epoch:
                self.shown[name] = self.epoch
                log_step_figure(trainer, content, f"{split}/{name}", self.epoch)
        elif isinstance(content, Figure):
            log_figure(trainer, content, f"{split}_{name}")
        elif isinstance(content, dict):
            log_table(trainer, content, f"{name}_{split}")
        elif isinstance(content, str):
            log_text(trainer, content, name)
        elif isinstance(content, Notice):
            log_notice(trainer, name, content.text)
            if content.text:
                rank_zero_info(f"Heat maps   {content.text}")
        else:
            log_metric(trainer, f"{split}/{name}", content, self.epoch)


def _stop_if_asked(trainer: Trainer) -> None:
    """Obey SIGTERM, which Lightning looks for between steps only."""
    if trainer.received_sigterm:
        raise SIGTERMException


def _is_last(trainer: Trainer) -> bool:
    """Whether this is known to be the last epoch, whose pictures are drawn at the end."""
    stopping = trainer.should_stop and trainer.fit_loop._can_stop_early
    return stopping or trainer.current_epoch + 1 == trainer.max_epochs
