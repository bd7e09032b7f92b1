"""Label suspects by out-of-fold predictions: of the folds of a run, or of a table."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from callbacks.label_suspects import Suspects, find_suspects
from datamodules import ImageDataModule
from lightning_app.cli.recorded_data import build_data
from lightning_app.store.describe_run import OUT_OF_FOLD, PROBABILITY
from lightning_app.store.runs import children_of, find_run, open_store
from lightning_app.store.stored_run import open_stored_run

FILE = f"predictions/{OUT_OF_FOLD}.csv"
SHOWN = 10  # columns that an error lists
TOLERANCE = 0.01  # of the sum of the probabilities of an image, which tables round


def read_predictions(
    wanted: str, data: ImageDataModule | None
) -> tuple[pd.DataFrame, ImageDataModule]:
    """Out-of-fold predictions, and the dataset of their images.

    Args:
        wanted: A CSV file, or a run of `folds`.
        data: The dataset; None for that of the run.

    Raises:
        ValueError: If there is no such run, it has no such table, or a file has no dataset.
    """
    if Path(wanted).is_file():
        if data is None:
            raise ValueError(
                f"The images of {wanted} are not known: name their dataset with --config FILE.yaml "
                "or --data, as for `fit`."
            )
        return _parsed(Path(wanted).read_bytes()), data
    client = open_store()
    run = find_run(client, wanted)
    with open_stored_run(client, run) as record:
        content = record.content(FILE)
    if not content:
        raise ValueError(
            f"The run {run.info.run_name!r} has no {FILE}; expected a run of `folds`, or a CSV "
            "file like this one."
        )
    if data is None:
        folds = [each for each in children_of(client, run) if each.info.status == "FINISHED"]
        with open_stored_run(client, (folds or [run])[0]) as record:
            data = build_data(record, num_workers=0)
    return _parsed(content), data


def check_predictions(data: ImageDataModule, table: pd.DataFrame) -> Suspects:
    """Compare each label with the prediction of networks that were not trained on its image.

    Args:
        data: The dataset, which has the labels.
        table: Columns `image` and, for each class, `probability of CLASS` or `CLASS`.

    Raises:
        ValueError: If the table does not fit the dataset.
    """
    values = _probabilities(table, data.class_names)
    rows = {name: row for row, name in enumerate(table["image"])}
    if len(rows) < len(table):
        twice = Counter(table["image"]).most_common(1)[0][0]
        raise ValueError(f"Expected a row for each image, but {twice} is there twice.")
    places, chosen, labels = {}, [], []
    for split, source in data.sources.items():
        known = [p for p, name in enumerate(source.names) if name in rows and source.labels[p] >= 0]
        places[split] = torch.tensor(known, dtype=torch.long)
        chosen += [rows.pop(source.names[place]) for place in known]
        labels.append(torch.from_numpy(source.labels[known]))
    if rows:
        raise ValueError(
            f"{len(rows):,} of {len(table):,} images of the table are no labelled images of the "
            f"dataset, such as {next(iter(rows))}."
        )
    probabilities = torch.from_numpy(values[chosen])
    found = find_suspects(data.sources, places, torch.cat(labels), probabilities)
    return replace(found, shown_split="out of fold")  # whatever split it is in for another fit


def _parsed(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), keep_default_na=False, dtype={"image": str})


def _probabilities(table: pd.DataFrame, class_names: Sequence[str]) -> np.ndarray:
    """The probabilities of all classes, (N, K), in the order of the dataset."""
    columns = {name.removeprefix(PROBABILITY): name for name in table.columns}
    missing = [name for name in ("image", *class_names) if name not in columns]
    if missing:
        shown = [*table.columns[:SHOWN], *["…"] * (len(table.columns) > SHOWN)]
        raise ValueError(
            f"Expected the columns image and, for each class, '{PROBABILITY}CLASS'; there is none "
            f"for {missing[0]}. The columns are {', '.join(shown)}."
        )
    chosen = table[[columns[name] for name in class_names]]
    values = chosen.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    wrong = ~((values >= 0).all(axis=1) & (abs(values.sum(axis=1) - 1) <= TOLERANCE))
    if wrong.any():
        first = list(table["image"])[int(wrong.argmax())]
        raise ValueError(
            f"Expected probabilities of all classes that sum to 1; those of {first} do not."
        )
    return values
