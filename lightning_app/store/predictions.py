"""Predictions that several stored runs made for the same images."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lightning_app.store.runs import quoted
from lightning_app.store.stored_run import StoredRun

SplitName = Literal["test", "val"]
COMMANDS: dict[SplitName, str] = {"test": "test", "val": "validate"}  # that store the predictions
DIGEST_LENGTH = 8


class EvaluatedImages(NamedTuple):
    """Labelled images that a run was evaluated on: their number, a digest of names and labels."""

    images: int
    digest: str


class SharedPredictions(NamedTuple):
    """Predictions of R runs for N labelled images; classes are given by their names.

    Attributes:
        images: Names of the images.
        labels: Their classes, (N,).
        predicted: Class that each run predicts, (R, N).
        confidence: Probability of that class, (R, N) in [0, 1].
        left_out: Number of images that not all runs have, or not with the same label.
        evaluated: The images of each run, shared or not.
    """

    images: list[str]
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    left_out: int
    evaluated: tuple[EvaluatedImages, ...] = ()

    @property
    def correct(self) -> Tensor:
        """Which predictions are correct, (R, N)."""
        return torch.from_numpy(self.predicted == self.labels)

    @property
    def on_different_images(self) -> bool:
        """Whether the runs were evaluated on different images, or on different labels of them."""
        return len({evaluated.digest for evaluated in self.evaluated}) > 1


def read_predictions(records: Sequence[StoredRun], split: SplitName) -> SharedPredictions:
    """Join the predictions of runs by the names of the images.

    Args:
        records: The runs, one or more.
        split: Which of their tables to read.

    Raises:
        ValueError: If a run has no predictions, lists an image twice, or the runs share no image.
    """
    tables = [_read(record, split) for record in records]
    common = tables[0].index
    for table in tables[1:]:
        common = common.intersection(table.index)
    same = pd.Series(True, common)
    for table in tables[1:]:
        same &= table.loc[common, "label"] == tables[0].loc[common, "label"]
    common = common[same.to_numpy()]
    if not len(common):
        names = quoted(record.run.info.run_name for record in records)
        raise ValueError(
            f"No {split} image has the same name and label in all of {names}: their datasets are "
            "different, so that image by image there is nothing to compare."
        )
    evaluated = tuple(_evaluated(table) for table in tables)
    left_out = max(each.images for each in evaluated) - len(common)
    tables = [table.loc[common] for table in tables]
    return SharedPredictions(
        [str(name) for name in common],
        tables[0]["label"].to_numpy(),
        np.stack([table["predicted"].to_numpy() for table in tables]),
        np.stack([table["confidence"].to_numpy(float) for table in tables]),
        left_out,
        evaluated,
    )


def _read(record: StoredRun, split: SplitName) -> pd.DataFrame:
    """The labelled images of a run, by name."""
    file, name = f"predictions/{split}.csv", record.run.info.run_name
    content = record.content(file)
    if not content:
        raise ValueError(
            f"The run {name!r} has no {file}; `lightning_cli {COMMANDS[split]} --ckpt_path "
            f"{name}` makes it."
        )
    types: Any = {"image": str, "label": str, "predicted": str}
    table = pd.read_csv(io.BytesIO(content), dtype=types, keep_default_na=False)
    table = table[table["label"] != ""].set_index("image")
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise ValueError(f"{file} of the run {name!r} lists the image {twice} twice.")
    return table


def _evaluated(table: pd.DataFrame) -> EvaluatedImages:
    rows = sorted(zip(table.index, table["label"], strict=True))  # their order changes no score
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    return EvaluatedImages(len(rows), digest[:DIGEST_LENGTH])
