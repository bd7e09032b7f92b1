"""Recorded images of a run: digest and class counts of each split, and the list of all images."""

import json
from typing import Any

import numpy as np
import pandas as pd
from mlflow.entities import Dataset, DatasetInput, InputTag

from datamodules import ImageDataModule
from datamodules.sources.source import UNLABELLED, ImageSource
from lightning_app.store.recorded_settings import MAX_VALUE

CONTENT = "content"  # column of the digests of the images
DIGEST_BYTES = 8


def log_images(
    client: Any, run_id: str | None, data: ImageDataModule, config: dict[str, Any], resumed: bool
) -> list[str]:
    """Log digest and class counts of each split, and a list of the images of all splits.

    The list is a manifest, which `ManifestDataModule` reads.

    Returns:
        For a resumed run, the splits whose images or labels are not those that it had.
    """
    inputs = client.get_run(run_id).inputs.dataset_inputs if resumed else []
    known = {each.dataset.digest for each in inputs}
    inputs = []
    name = type(data).__name__.removesuffix("DataModule")
    for split, source in data.sources.items():
        labelled = source.labels[source.labels != UNLABELLED]
        counts = np.bincount(labelled, minlength=data.num_classes).tolist()
        profile = dict(zip(data.class_names, counts, strict=True))
        dataset = Dataset(
            name=f"{name}/{split}",
            digest=source.fingerprint(),
            source_type="local",
            source=json.dumps(config["data"])[:MAX_VALUE],
            profile=json.dumps({"num_images": len(source.labels), "class_counts": profile}),
        )
        inputs.append(DatasetInput(dataset, [InputTag("mlflow.data.context", split)]))
    client.log_inputs(run_id, inputs)
    names = {**dict(enumerate(data.class_names)), UNLABELLED: ""}
    rows = [
        (image, names[label], split, group, content)
        for split, source in data.sources.items()
        for image, label, group, content in zip(
            source.names,
            source.labels,
            source.groups or source.names,
            contents(source),
            strict=True,
        )
    ]
    table: Any = pd.DataFrame(rows, columns=["image", "label", "split", "group", CONTENT])
    if table["group"].equals(table["image"]):  # no image is a copy of another
        table = table.drop(columns="group")
    if not table[CONTENT].any():
        table = table.drop(columns=CONTENT)
    client.log_text(run_id, table.to_csv(index=False), "data/splits.csv")
    digests = {split: each.dataset.digest for split, each in zip(data.sources, inputs, strict=True)}
    return [split for split, digest in digests.items() if known and digest not in known]


def contents(source: ImageSource) -> list[str]:
    """Digest of the content of each image as text; empty where it is not known."""
    if source.digests is None:
        return [""] * len(source)
    return [digest[:DIGEST_BYTES].hex() for digest in source.digests]
