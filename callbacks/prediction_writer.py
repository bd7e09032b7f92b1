"""Tables of predictions: one row per image, into the run and into a competition's form."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from callbacks.output_recorder import OutputRecorder
from callbacks.submission import fill_submission, read_submission
from callbacks.tracking import log_text
from callbacks.trainer_parts import classifier_of, data_of
from models.evaluation.prediction_sets import set_names
from models.evaluation.predictions import UNLABELLED, Predictions, images_at_once
from models.evaluation.uncertainty import Uncertainty


@dataclass(eq=False)
class PredictionWriter(Callback):
    """Log `predictions/test.csv` after `test`: one row per image, in the order of the dataset.

    `validate` logs `predictions/val.csv`, and `predict` logs `predictions/predict.csv`. Columns are
    image, label (empty where it is not known), predicted and confidence, the softmax probability of
    the prediction; then the next most probable classes, `predicted_2`, `confidence_2` and so on.
    `set` has the classes of the prediction set, with a bar between two (the first 100, and then the
    number of the others), and `unknown` whether the
    image is unlike those of the validation; checkpoints of earlier versions give neither. With
    several processes, the table has the rows of all of them.

    Attributes:
        recorder: Keeps the network's outputs; it has to come before this callback.
        top_k: Number of classes in a row, the most probable first; all if there are fewer.
        sets_by_class: Whether `set` is to hold the true class for 90 % of the images of each class,
            not only of all images. Such sets are larger.
        sample_submission: A competition's CSV file: ids, and places for classes or probabilities.
            `predict` fills it in as `predictions/submission.csv`; see `read_submission`.

    Raises:
        ValueError: If `top_k` is not positive.
    """

    recorder: OutputRecorder
    top_k: int = 3
    sets_by_class: bool = False
    sample_submission: Path | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        self.renamed_splits: dict[str, str] = {}  # names in the run of splits that have others here
        if self.top_k < 1:
            raise ValueError(f"Expected predictions.top_k of 1 or more, got {self.top_k}.")

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Check that the sample submission fits the images before any of them is predicted."""
        if stage != "predict":
            return
        if _predict_split(trainer) == "test":
            rank_zero_info("Without images to predict (--data.predict), the test images are used.")
        if self.sample_submission is not None:
            data = data_of(trainer)
            names = data.sources[_predict_split(trainer)].names
            submission = read_submission(self.sample_submission, names, data.class_names)
            rank_zero_info(f"Submission  {self.sample_submission}: {submission.description}.")

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table, unless this is a validation within a fit."""
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._store(trainer, pl_module, "val", split="val")

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table."""
        self._store(trainer, pl_module, "test", split="test")

    def on_predict_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table and the filled-in submission."""
        split = _predict_split(trainer)
        predictions = self._store(trainer, pl_module, "predict", split)
        if self.sample_submission is None or predictions is None:
            return
        data = data_of(trainer)
        images = [data.sources[split].names[index] for index in predictions.indices]
        probabilities = predictions.probabilities.numpy()
        sample, classes = self.sample_submission, data.class_names
        filled = fill_submission(sample, images, probabilities, classes)
        log_text(trainer, filled.to_csv(index=False), "predictions/submission.csv")

    def _store(
        self, trainer: Trainer, module: LightningModule, name: str, split: str
    ) -> Predictions | None:
        outputs = self.recorder.gather(trainer)
        if outputs is None or not trainer.is_global_zero:
            return None
        predictions = outputs.predictions
        data = data_of(trainer)
        source = data.sources[split]
        names = {**dict(enumerate(data.class_names)), UNLABELLED: ""}
        columns: dict[str, list[Any]] = {
            "image": [source.names[index] for index in predictions.indices],
            "label": [names[label] for label in predictions.labels.tolist()],
        }
        columns |= prediction_columns(predictions, data.class_names, self.top_k)
        uncertainty = classifier_of(module).uncertainty
        columns |= uncertainty_columns(
            uncertainty, predictions, outputs.similarity, data.class_names, self.sets_by_class
        )
        log_text(
            trainer,
            pd.DataFrame(columns).to_csv(index=False),
            f"predictions/{self.renamed_splits.get(name, name)}.csv",
        )
        return predictions


def prediction_columns(
    predictions: Predictions, class_names: Sequence[str], top_k: int
) -> dict[str, list[Any]]:
    """Columns `predicted`, `confidence`, `predicted_2`, `confidence_2` …, one row per image.

    Args:
        predictions: Predictions for N images.
        class_names: Names of the K classes.
        top_k: Number of classes in a row, the most probable first; all if there are fewer.
    """
    classes, probabilities = predictions.most_probable(min(top_k, len(class_names)))
    columns: dict[str, list[Any]] = {}
    for place in range(classes.shape[1]):
        rank = "" if place == 0 else f"_{place + 1}"
        columns[f"predicted{rank}"] = [class_names[c] for c in classes[:, place].tolist()]
        columns[f"confidence{rank}"] = probabilities[:, place].round(decimals=6).tolist()
    return columns


def uncertainty_columns(
    uncertainty: Uncertainty | None,
    predictions: Predictions,
    similarity: Tensor | None,
    class_names: Sequence[str],
    by_class: bool = False,
) -> dict[str, list[Any]]:
    """Columns `set` and `unknown`, one row per image, as far as the network has them.

    Args:
        uncertainty: That of the network; None without.
        predictions: Predictions for N images.
        similarity: Similarity of each image to those of the validation, (N,); None without.
        class_names: Names of the K classes.
        by_class: See `PredictionWriter.sets_by_class`.
    """
    columns: dict[str, list[Any]] = {}
    if uncertainty is not None:
        sets, logits = uncertainty.sets, predictions.logits
        chunks = logits.split(images_at_once(logits))
        names = [set_names(sets.sets(each, by_class=by_class), class_names) for each in chunks]
        columns["set"] = [name for of_chunk in names for name in of_chunk]
        if uncertainty.neighbours is not None and similarity is not None:
            columns["unknown"] = (similarity < uncertainty.neighbours.threshold).tolist()
    return columns


def _predict_split(trainer: Trainer) -> str:
    """Name of the split that `predict` predicts."""
    return "predict" if "predict" in data_of(trainer).sources else "test"
