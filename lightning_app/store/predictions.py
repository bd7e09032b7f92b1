"""Predictions that several stored runs made for the same images."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from pandas.util import hash_pandas_object
from torch import Tensor

from lightning_app.store.runs import quoted
from lightning_app.store.stored_run import StoredRun

SplitName = Literal["test", "val"]
COMMANDS: dict[SplitName, str] = {"test": "test", "val": "validate"}  # that store the predictions
DIGEST_LENGTH = 8
COLUMNS = {"image": str, "label": str, "predicted": str, "confidence": float}


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
    evaluated = tuple(_evaluated(table) for table in tables)
    tables = _shared(tables)
    if not len(common := tables[0].index):
        names = quoted(record.run.info.run_name for record in records)
        raise ValueError(
            f"No {split} image has the same name and label in all of {names}: their datasets are "
            "different, so that image by image there is nothing to compare."
        )
    left_out = max(each.images for each in evaluated) - len(common)
    return SharedPredictions(
        common.tolist(),
        np.asarray(tables[0]["label"], object),
        np.stack([np.asarray(table["predicted"], object) for table in tables]),
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
    options: Any = {"usecols": [*COLUMNS], "dtype": COLUMNS, "keep_default_na": False}
    table = pd.read_csv(io.BytesIO(content), **options)
    # Categories, as a million names would take a gigabyte; read as such, "010" would become 10.
    table = table.astype({"label": "category", "predicted": "category"})
    table = table[table["label"] != ""].set_index("image")
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise ValueError(f"{file} of the run {name!r} lists the image {twice} twice.")
    return table


def _evaluated(table: pd.DataFrame) -> EvaluatedImages:
    # Their order changes no score.
    digests = np.sort(hash_pandas_object(table["label"]))  # pyright: ignore[reportCallIssue]
    return EvaluatedImages(len(table), hashlib.sha256(digests.data).hexdigest()[:DIGEST_LENGTH])


def _shared(tables: Sequence[Any]) -> list[Any]:
    """The images that all tables have with the same label, in the order of the first."""
    common = tables[0].index
    for table in tables[1:]:
        common = common if common.equals(table.index) else common.intersection(table.index)
    tables = [table if common.equals(table.index) else table.loc[common] for table in tables]
    labels = [np.asarray(table["label"], object) for table in tables]
    same = np.all([of_run == labels[0] for of_run in labels], axis=0)
    return list(tables) if same.all() else [table[same] for table in tables]
