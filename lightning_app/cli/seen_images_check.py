"""Check before an evaluation: whether the network was trained on the images."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities import rank_zero_info

from callbacks import CorruptionTest, PictureGallery, PredictionWriter
from datamodules import ImageDataModule
from lightning_app.cli.recorded_data import recorded_data
from lightning_app.cli.seen_images import SPLITS_FILE, count_seen, differing_settings
from lightning_app.store.describe_run import MEMBERS
from lightning_app.store.evaluations import SEEN
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.run_recorder import run_logger_of
from lightning_app.store.stored_run import StoredRun, open_stored_run

EVALUATED = {TrainerFn.TESTING: "test", TrainerFn.VALIDATING: "val"}
SHOWN = 4  # settings that a message names
RENAMED = (CorruptionTest, PictureGallery, PredictionWriter, RunLogger)


class SeenImagesCheck(Callback):
    """Refuses to score a network on images that it was trained on.

    `predict` may have such images, and says so. A resumed fit may not, since its validation would
    be on images of its earlier epochs.

    Args:
        data: The section `data` of the command's configuration.
        allowed: Whether to evaluate on training images all the same; the split is then called
            `test_seen` or `val_seen`, and so are its metrics and files.

    Attributes:
        seen: Number of images to evaluate that the network was trained on.
    """

    def __init__(self, data: dict[str, Any], allowed: bool = False) -> None:
        self.data, self.allowed = data, allowed
        self.seen = 0

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Compare the images with those that the run was trained on.

        Raises:
            ValueError: If the network was trained on some of the images to evaluate.
        """
        logger = run_logger_of(trainer)
        if logger is None or logger.attached is None:
            return
        data = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
        with open_stored_run(*logger.attached) as record:
            for split in _evaluated(trainer, data):
                if seen := count_seen(record, data, split, self.data):
                    self._report(trainer, record, split, seen)

    def _report(self, trainer: Trainer, record: StoredRun, split: str, seen: int) -> None:
        """Refuse, rename or mention images that the network was trained on."""
        data, fn = trainer.datamodule, trainer.state.fn  # pyright: ignore[reportAttributeAccessIssue]
        what = (
            f"{seen:,} of {len(data.sources[split]):,} {split} images were trained on in the run "
            f"{record.run.info.run_name!r}"
        )
        if fn == TrainerFn.PREDICTING:
            rank_zero_info(f"{what}: expect more mistakes among new images.")
        elif fn == TrainerFn.FITTING or not self.allowed:
            raise ValueError(f"{what}. {self._reason(record)} {_remedy(fn)}")
        else:
            self.seen = seen
            _rename(trainer, split)
            rank_zero_info(f"{what}; the metrics are called {split}{SEEN}/….")

    def _reason(self, record: StoredRun) -> str:
        """Which settings differ from those of the run."""
        if members := record.tags.get(MEMBERS):
            return f"It is made of the networks of {members}; one of them has seen these images."
        differing = differing_settings(recorded_data(record), self.data)
        if not differing:
            return (
                "The settings are those of the run, so the dataset has changed since; "
                f"{SPLITS_FILE} of the run lists its images."
            )
        shown = [f"{key} is {now}, there {old}" for key, (old, now) in differing.items()]
        return f"The settings differ: {'; '.join(shown[:SHOWN])}."


def _evaluated(trainer: Trainer, data: ImageDataModule) -> list[str]:
    """Splits whose images should not have been trained on."""
    if trainer.state.fn == TrainerFn.FITTING:
        return [split for split in ("val", "test") if split in data.sources]
    if trainer.state.fn == TrainerFn.PREDICTING:
        return ["predict" if "predict" in data.sources else "test"]
    return [EVALUATED[trainer.state.fn]]  # pyright: ignore[reportArgumentType]


def _remedy(fn: TrainerFn | None) -> str:
    if fn == TrainerFn.FITTING:
        return (
            "Resume with the settings of the run, or start a new run with its weights: "
            "--model.backbone.weights FILE."
        )
    return "Use the settings of the run, or --allow_seen true for metrics of another name."


def _rename(trainer: Trainer, split: str) -> None:
    """Give the results of a split another name."""
    callbacks = trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
    for part in (*callbacks, *trainer.loggers):
        if isinstance(part, RENAMED):
            part.renamed_splits[split] = f"{split}{SEEN}"
