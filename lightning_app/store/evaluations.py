"""Evaluations of a run: which checkpoint was scored on which images, when, and with what scores.

Every evaluation is a row of the run's table `evaluations`: each `test` and `validate`, and the
validation at the end of a fit. Metrics and tables alone do not tell the checkpoint.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from callbacks.tracking import store_table
from lightning_app.store.stored_run import StoredRun
from models.evaluation.metrics import METRICS

TABLE = "evaluations"
FILE = f"tables/{TABLE}.json"
DIGEST_LENGTH = 8
SEEN = "_seen"  # ending of the name of a split whose images the network was trained on


@dataclass(frozen=True)
class Evaluation:
    """A checkpoint, scored on the images of a split.

    Attributes:
        split: `val` or `test`; with the ending `_seen` if the network was trained on its images.
        checkpoint: `best`, `last`, or the name of another file without its ending.
        epoch: Its epoch, counted from 0.
        images: Number of images.
        seen: How many of them the network was trained on.
        digest: Digest of the images and their labels.
        settings: Digest of the settings that can change a score.
        dataset: The datamodule, and the folder or file that it read.
        time: End of the evaluation in milliseconds since 1970.
        scores: Value of each metric, by its name without the split.
    """

    split: str
    checkpoint: str
    epoch: int
    images: int
    seen: int = 0
    digest: str = ""
    settings: str = ""
    dataset: str = ""
    time: int = 0
    scores: dict[str, float] = field(default_factory=dict, compare=False)

    def summary(self) -> str:
        """Checkpoint, images and date in a line, for a tag of the run."""
        when = datetime.fromtimestamp(self.time / 1000, UTC).astimezone()
        label = checkpoint_label(self.checkpoint, self.epoch)
        return f"{label}, {self.images:,} images, {when:%Y-%m-%d %H:%M}"

    def repeats(self, other: "Evaluation") -> bool:
        """Whether the scores have to be the same: same weights, images and settings."""
        names = ("split", "epoch", "images", "digest", "settings")
        return all(getattr(self, name) == getattr(other, name) for name in names)


def evaluations_of(record: StoredRun) -> list[Evaluation]:
    """The evaluations of a run, oldest first; empty for runs of earlier versions."""
    names = [each.name for each in fields(Evaluation) if each.name != "scores"]
    return [
        Evaluation(
            **{name: row[name] for name in names if name in row},
            scores={m.name: row[m.name] for m in METRICS if row.get(m.name) is not None},
        )
        for row in record.table(FILE)
    ]


def latest_evaluation(evaluations: Iterable[Evaluation], split: str) -> Evaluation | None:
    """The last evaluation of a split; None if there is none."""
    return next((each for each in reversed([*evaluations]) if each.split == split), None)


def without_repetitions(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """The evaluations with only the last of those that had to have the same scores."""
    return [
        each
        for place, each in enumerate(evaluations)
        if not (each.digest and any(each.repeats(later) for later in evaluations[place + 1 :]))
    ]


def store_evaluations(client: Any, run_id: str, evaluations: Iterable[Evaluation]) -> None:
    """Store all evaluations of a run as its table `evaluations`."""
    rows = [
        {name: value for name, value in vars(each).items() if name != "scores"} | each.scores
        for each in evaluations
    ]
    table = pd.DataFrame(rows).astype(object)
    store_table(client, run_id, table.where(table.notna(), None).to_dict("list"), TABLE)


def checkpoint_label(checkpoint: str, epoch: int) -> str:
    """Name of a checkpoint wherever one is shown: `best (epoch 11)`; epochs count from 0.

    Args:
        checkpoint: Name of its file without the ending; empty if it is not known.
        epoch: Its epoch; below 0 if it is not known.
    """
    if epoch < 0:
        return checkpoint
    return f"{checkpoint} (epoch {epoch})" if checkpoint else f"epoch {epoch}"


def settings_digest(settings: dict[str, Any]) -> str:
    """Digest of the settings of an evaluation."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]
