"""What the network said of each image, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from callbacks.outputs import OutputRecorder
from callbacks.submission import fill_submission, wants_numbers
from callbacks.tracking import log_text
from callbacks.trainer_parts import data_of

UNLABELLED = -1  # label of an image whose class is not known


@dataclass(eq=False)
class PredictionWriter(Callback):
    """Log `predictions/test.csv` after `test`: a row an image, in their order.

    So does `validate` with `predictions/val.csv`, and `predict` with `predictions/predict.csv`.
    Columns are image, label (empty where it is not known), predicted and confidence, the softmax
    probability of the prediction; then the next best classes and their probabilities,
    `predicted_2`, `confidence_2` and so on. Under several processes the rows of all are gathered.

    Attributes:
        recorder: Keeps what the network said; it has to come before this callback.
        top_k: Classes to name, the best first; no more than there are.
        sample_submission: A CSV file of a competition, an id and an answer a row. `predict` fills
            it in as `predictions/submission.csv`, in its order; see `fill_submission`.

    Raises:
        ValueError: If `top_k` is not positive.
    """

    recorder: OutputRecorder
    top_k: int = 3
    sample_submission: Path | None = None

    def __post_init__(self) -> None:
        """Refuse to name no class."""
        if self.top_k < 1:
            raise ValueError(f"Expected predictions.top_k of 1 or more, got {self.top_k}.")

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Learn of a sample that does not fit before the images are looked at."""
        if self.sample_submission is not None:
            data = data_of(trainer)
            names = data.sources[_predicted(trainer)].names
            fill_submission(self.sample_submission, names, [0] * len(names), data.class_names)
            numbers = wants_numbers(self.sample_submission, data.class_names)
            first, *_, last = data.class_names
            form = f"numbers of classes, 0 for {first} to {len(data.class_names) - 1} for {last}"
            rank_zero_info(
                f"The answers in the form of {self.sample_submission} are "
                f"{form if numbers else 'names of classes'}."
            )

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table, unless it is one of the many validations of a fit."""
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._store(trainer, "val", split="val")

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table."""
        self._store(trainer, "test", split="test")

    def on_predict_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table, and the answers to a competition."""
        table = self._store(trainer, "predict", _predicted(trainer))
        if self.sample_submission is None or table is None:
            return
        classes = data_of(trainer).class_names
        guesses = [classes.index(name) for name in table["predicted"]]
        filled = fill_submission(self.sample_submission, table["image"].tolist(), guesses, classes)
        log_text(trainer, filled.to_csv(index=False), "predictions/submission.csv")

    def _store(self, trainer: Trainer, name: str, split: str) -> pd.DataFrame | None:
        said = self.recorder.gather(trainer)
        if said is None or not trainer.is_global_zero:
            return None
        data = data_of(trainer)
        source = data.sources[split]
        names = {**dict(enumerate(data.class_names)), UNLABELLED: ""}
        columns: dict[str, list[Any]] = {
            "image": [source.names[index] for index in said.indices],
            "label": [names[label] for label in said.labels.tolist()],
        }
        columns |= prediction_columns(said.logits.softmax(dim=1), data.class_names, self.top_k)
        table = pd.DataFrame(columns)
        log_text(trainer, table.to_csv(index=False), f"predictions/{name}.csv")
        return table


def prediction_columns(
    probabilities: Tensor, class_names: Sequence[str], top_k: int
) -> dict[str, list[Any]]:
    """Columns `predicted`, `confidence`, `predicted_2`, `confidence_2` …, a row an image.

    Args:
        probabilities: Of the classes, (N, K).
        class_names: Names of the K classes.
        top_k: Classes to name, the best first; no more than there are.
    """
    best = probabilities.topk(min(top_k, probabilities.shape[1]), dim=1)
    columns: dict[str, list[Any]] = {}
    for place in range(best.indices.shape[1]):
        rank = "" if place == 0 else f"_{place + 1}"
        columns[f"predicted{rank}"] = [class_names[c] for c in best.indices[:, place].tolist()]
        columns[f"confidence{rank}"] = best.values[:, place].double().round(decimals=6).tolist()
    return columns


def _predicted(trainer: Trainer) -> str:
    """The split that `predict` looks at."""
    return "predict" if "predict" in data_of(trainer).sources else "test"
