"""Out-of-fold predictions: each image as a network predicts it that was not trained on it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from lightning_app.store.describe_run import PROBABILITY
from lightning_app.store.stored_run import StoredRun
from models.evaluation.predictions import Predictions

SMALLEST = 1e-7  # probability that a table shows as 0


@dataclass(frozen=True)
class OutOfFold:
    """Predictions for the images of all folds that are finished.

    Attributes:
        images: Their names, in the order of the folds.
        labels: Index of their classes, (N,).
        folds: Their folds, (N,), from 0.
        probabilities: Mean over the seeds, (N, K).
        class_names: Names of the classes.
    """

    images: list[str]
    labels: np.ndarray
    folds: np.ndarray
    probabilities: np.ndarray
    class_names: Sequence[str]

    @property
    def predictions(self) -> Predictions:
        """The same as logits, for metrics and pictures."""
        logits = torch.from_numpy(self.probabilities).clamp_min(SMALLEST).log()
        return Predictions(logits, torch.from_numpy(self.labels), torch.arange(len(self.images)))

    def table(self) -> pd.DataFrame:
        """A row for each image: label, fold from 1, prediction, probability of each class."""
        predicted = self.probabilities.argmax(axis=1)
        columns: dict[str, Any] = {
            "image": self.images,
            "label": [self.class_names[label] for label in self.labels],
            "fold": self.folds + 1,
            "predicted": [self.class_names[index] for index in predicted],
            "confidence": self.probabilities.max(axis=1).round(6),
        }
        columns |= {
            f"{PROBABILITY}{name}": column.round(6)
            for name, column in zip(self.class_names, self.probabilities.T, strict=True)
        }
        return pd.DataFrame(columns)


def read_out_of_fold(
    records: Sequence[tuple[int, StoredRun]], class_names: Sequence[str]
) -> OutOfFold:
    """Join the validation tables of all folds.

    Args:
        records: The finished runs with their folds; a fold has one for each seed.
        class_names: Names of the classes.
    """
    of_fold: dict[int, list[pd.DataFrame]] = {}
    for fold, record in records:
        of_fold.setdefault(fold, []).append(_read(record, class_names))
    parts = [(fold, tables[0], _mean(tables)) for fold, tables in sorted(of_fold.items())]
    places: Any = {name: place for place, name in enumerate(class_names)}
    return OutOfFold(
        [image for _, table, _ in parts for image in table.index],
        np.concatenate([table["label"].map(places).to_numpy(np.int64) for _, table, _ in parts]),
        np.concatenate([np.full(len(table), fold) for fold, table, _ in parts]),
        np.concatenate([probabilities for _, _, probabilities in parts]),
        class_names,
    )


def _mean(tables: Sequence[pd.DataFrame]) -> np.ndarray:
    own = [table.loc[tables[0].index].drop(columns="label").to_numpy(float) for table in tables]
    return np.mean(own, axis=0)


def _read(record: StoredRun, class_names: Sequence[str]) -> pd.DataFrame:
    """Label and probability of each class, by the names of the labelled images."""
    types: Any = {"image": str, "label": str}
    content = io.BytesIO(record.content("predictions/val.csv"))
    table = pd.read_csv(content, keep_default_na=False, dtype=types).astype({"label": str})
    table = table[table["label"] != ""].set_index("image")
    ranks = [name.removeprefix("predicted") for name in table if name.startswith("predicted")]
    values = np.zeros((len(table), len(class_names)))
    places: Any = {name: place for place, name in enumerate(class_names)}
    for rank in ranks:
        columns = table[f"predicted{rank}"].astype(str).map(places).to_numpy(np.int64)
        values[np.arange(len(table)), columns] = table[f"confidence{rank}"]
    probabilities = pd.DataFrame(values, index=table.index, columns=range(len(class_names)))
    return probabilities.assign(label=table["label"])
