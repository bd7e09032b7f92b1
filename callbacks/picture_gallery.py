"""Draw the pictures of a run when they are due, within a budget of time."""

import contextlib
import os
import time
from collections.abc import Iterable, Sequence

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from matplotlib.figure import Figure
from torch import Tensor

from callbacks.inspection_mode import inspection_mode
from callbacks.outputs import OutputRecorder, Outputs
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, is_due
from callbacks.tracking import log_figure, log_metric, log_step_figure, log_table, log_text
from callbacks.trainer_parts import classifier_of, data_of
from callbacks.weight_average import averaged_weights
from models.explain import NothingToShow

DEBUG = "LIGHTNING_CLI_DEBUG"


class Gallery(Callback):
    """Draws pictures during a fit at the epochs that they ask for, and once at its end.

    A fit that validates with averaged weights shows those. What drawing costs is the metric
    `time/pictures`, in seconds since the fit began. Between the first and the last epoch a picture
    is left out if it would take more than the budget; at the end each is drawn whatever it costs.
    A picture that fails is a warning and does not end a fit; from `validate` and `test` it is an
    error.

    Args:
        pictures: What to draw, the most wanted first.
        recorder: Keeps what the network said; it has to come before this callback.
        budget: Share of the time of a fit that drawing may take, in (0, 1].

    Raises:
        ValueError: If the budget is out of range.
    """

    def __init__(
        self, pictures: Sequence[Picture], recorder: OutputRecorder, budget: float = 0.05
    ) -> None:
        if not 0 < budget <= 1:
            raise ValueError(f"pictures.budget is {budget:g}; expected 0, for no pictures, to 1.")
        self.pictures, self.recorder, self.budget = pictures, recorder, budget
        self.costs: dict[Picture, float] = {}  # seconds that each took last
        self.failed: set[Picture] = set()
        self.shown: dict[str, int] = {}  # epoch of the newest picture in the grid, by name
        self.spent = 0.0
        self.thinned = False
        self.epoch = 0  # that was trained last; the trainer's counts on when training ends

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Let the pictures see the network as it was built, before a checkpoint is read."""
        if stage == "fit":
            for picture in self.pictures:
                with contextlib.suppress(NothingToShow):  # which is said when it is drawn
                    picture.begin(classifier_of(pl_module), data_of(trainer))

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self.started, self.first_epoch = time.perf_counter(), trainer.current_epoch
        self.next_epoch = trainer.current_epoch  # the first one without pictures
        self.shown.clear()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remember which epoch the next pictures belong to."""
        self.epoch = trainer.current_epoch

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw what is due."""
        if trainer.sanity_checking:
            return
        if trainer.state.fn != TrainerFn.FITTING:
            self._draw_all(trainer, pl_module, "val")
            return
        epochs = range(self.next_epoch, self.epoch + 1)
        due = [picture for picture in self.pictures if is_due(picture.when, epochs)]
        if not due or _is_last(trainer):
            return
        self.next_epoch = self.epoch + 1
        outputs = self.recorder.gather(trainer)
        context = self._context(trainer, pl_module, outputs, final=False)
        if trainer.is_global_zero:
            self._draw((p for p in due if self._affordable(p, trainer)), context, trainer)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw what can be said of a test."""
        self._draw_all(trainer, pl_module, "test")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw everything once more, and the tables."""
        outputs = self.recorder.gather(trainer)
        if not trainer.is_global_zero:
            return
        context, before = self._context(trainer, pl_module, outputs, final=True), self.spent
        self._draw(self.pictures, context, trainer)
        left_out = f"; others were left out, beyond {100 * self.budget:g}% of the time"
        rank_zero_info(
            f"Pictures    {self.spent - before:.1f} s at the end, which does not count, and "
            f"{before:.1f} s before it{left_out * self.thinned}"
        )

    def _draw_all(self, trainer: Trainer, module: LightningModule, split: str) -> None:
        outputs = self.recorder.gather(trainer)
        if trainer.is_global_zero:
            context = self._context(trainer, module, outputs, True, split)
            self._draw((p for p in self.pictures if split in p.splits), context, trainer)

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
        title = f"epoch {self.epoch}" if fitting else {"val": "validation"}.get(split, split)
        classifier = classifier_of(module)
        return PictureContext(
            classifier, data.class_names, sample, title, split, final, outputs, data
        )

    def _draw(self, pictures: Iterable[Picture], context: PictureContext, trainer: Trainer) -> None:
        """Draw pictures one after the other, each asked for when those before are done."""
        with averaged_weights(trainer), inspection_mode(context.model):
            for picture in pictures:
                started = time.perf_counter()
                self._draw_one(picture, context, trainer)
                self.costs[picture] = time.perf_counter() - started
                self.spent += self.costs[picture]
        if trainer.state.fn == TrainerFn.FITTING:
            log_metric(trainer, "time/pictures", self.spent, self.epoch)

    def _draw_one(self, picture: Picture, context: PictureContext, trainer: Trainer) -> None:
        fitting = trainer.state.fn == TrainerFn.FITTING
        try:
            for shown in picture.draw(context):
                self._log(picture, shown, context, trainer)
        except NothingToShow as reason:
            if fitting and picture not in self.failed:
                rank_zero_warn(f"No picture {picture.name}: {reason}")
            self.failed.add(picture)
        except Exception as error:  # whatever it is: no picture is worth a training
            if not fitting or os.environ.get(DEBUG):
                raise
            rank_zero_warn(f"No picture {picture.name}: {type(error).__name__}: {error}")

    def _log(
        self, picture: Picture, shown: PictureOutput, context: PictureContext, trainer: Trainer
    ) -> None:
        name, content = shown
        fitting = trainer.state.fn == TrainerFn.FITTING
        if isinstance(content, Figure) and fitting and picture.when != "last":
            if self.shown.get(name) != self.epoch:
                self.shown[name] = self.epoch
                log_step_figure(trainer, content, f"{context.split}/{name}", self.epoch)
        elif isinstance(content, Figure):
            log_figure(trainer, content, f"{context.split}_{name}")
        elif isinstance(content, dict):
            log_table(trainer, content, f"{name}_{context.split}")
        elif isinstance(content, str):
            log_text(trainer, content, name)
        else:
            log_metric(trainer, f"{context.split}/{name}", content, self.epoch)

    def _affordable(self, picture: Picture, trainer: Trainer) -> bool:
        """Whether the budget has room for it, when all are drawn once more at the end."""
        elapsed = time.perf_counter() - self.started
        done = self.epoch + 1 - self.first_epoch
        planned = max(trainer.max_epochs or 0, self.epoch + 1) - self.first_epoch
        planned_cost = self.costs.get(picture, 0.0) + sum(self.costs.values())
        enough = self.spent + planned_cost <= self.budget * elapsed * planned / done
        if not enough and not self.thinned:
            self.thinned = True
            rank_zero_info(
                f"Pictures may take {100 * self.budget:g}% of the time (pictures.budget): some "
                "epochs go without. All are drawn when training ends."
            )
        return enough


def _is_last(trainer: Trainer) -> bool:
    """Whether training ends with this epoch, as far as is known: its pictures come then."""
    stopping = trainer.should_stop and trainer.fit_loop._can_stop_early
    return stopping or trainer.current_epoch + 1 == trainer.max_epochs
