"""Copies of training images in other splits: a warning, and the accuracy without them."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from torch import Tensor

from callbacks.output_recorder import OutputRecorder
from callbacks.tracking import log_table
from callbacks.trainer_parts import data_of
from models.evaluation.wilson import wilson

SPLITS = {"val": "validation", "test": "test"}


class TrainingCopies(Callback):
    """Scores of `validate` and `test` without the images that are copies of training images.

    A copy is the same file as a training image, or has the same pixels where images are in memory,
    whatever its label. If there are some, a fit warns of them, and `validate` and `test` log the
    metric `<split>/accuracy_without_copies` and `tables/copies_<split>.json`, whose intervals are
    Wilson's (95 %). More than 4 GiB of images are not compared. `lightning_cli prepare check` also
    finds copies that were saved as other files.

    Args:
        recorder: Keeps the network's outputs; it has to come before this callback.
    """

    def __init__(self, recorder: OutputRecorder) -> None:
        self.recorder = recorder

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Warn of copies."""
        sources = data_of(trainer).sources
        for split in SPLITS if trainer.is_global_zero else ():
            copies = find_copies(sources, split)
            if copies is not None and copies.any():
                rank_zero_warn(
                    f"{int(copies.sum()):,} of the {len(copies):,} {SPLITS[split]} images are "
                    "exact copies of training images, so that the scores will be too high."
                )

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the scores, unless this is a validation within a fit."""
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._score(trainer, pl_module, "val")

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the scores."""
        self._score(trainer, pl_module, "test")

    def _score(self, trainer: Trainer, module: LightningModule, split: str) -> None:
        outputs = self.recorder.gather(trainer)
        copies = find_copies(data_of(trainer).sources, split) if trainer.is_global_zero else None
        if outputs is None or copies is None:
            return
        predictions = outputs.predictions.labelled()
        is_copy = copies[predictions.indices]
        if not is_copy.any() or is_copy.all():
            return
        table = copy_table(predictions.correct, is_copy)
        log_table(trainer, table, f"copies_{split}")
        accuracy, low, high = (table[key][1] for key in ("accuracy", "low", "high"))
        module.log(f"{split}/accuracy_without_copies", accuracy, rank_zero_only=True)
        rank_zero_info(
            f"Copies      {int(is_copy.sum()):,} of {len(is_copy):,} {SPLITS[split]} images are "
            f"exact copies of training images; accuracy without them {accuracy:.1%} "
            f"(95 % interval {100 * low:.1f} to {100 * high:.1f})"
        )


def find_copies(sources: Mapping[str, Any], split: str) -> Tensor | None:
    """Whether each image of a split is a copy of a training image, (N,); None if unknown.

    Args:
        sources: The images of each split.
        split: `val` or `test`, which need not exist.
    """
    if split not in sources:
        return None
    known, own = sources["train"].digests, sources[split].digests
    if known is None or own is None:
        return None
    seen = set(known) - {b""}
    return torch.tensor([digest in seen for digest in own], dtype=torch.bool)


def copy_table(correct: Tensor, is_copy: Tensor) -> dict[str, list[Any]]:
    """Accuracy of all images, without the copies, and of the copies, with intervals.

    Args:
        correct: Whether each prediction is correct, (N,).
        is_copy: Whether each image is a copy, (N,); some are, and some are not.
    """
    kinds = {"all": torch.ones_like(is_copy), "without copies": ~is_copy, "copies": is_copy}
    numbers = [int(kind.sum()) for kind in kinds.values()]
    hits = [int(correct[kind].sum()) for kind in kinds.values()]
    shares = [hit / number for hit, number in zip(hits, numbers, strict=True)]
    ends = [wilson(share, number) for share, number in zip(shares, numbers, strict=True)]
    return {
        "images": list(kinds),
        "number": numbers,
        "correct": hits,
        "accuracy": shares,
        "low": [low for low, _ in ends],
        "high": [high for _, high in ends],
    }
