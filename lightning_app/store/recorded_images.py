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
    client.log_text(run_id, _image_table(data).to_csv(index=False), "data/splits.csv")
    digests = {split: each.dataset.digest for split, each in zip(data.sources, inputs, strict=True)}
    return [split for split, digest in digests.items() if known and digest not in known]


def _image_table(data: ImageDataModule) -> Any:
    """A row per image of all splits."""
    class_names = np.array([*data.class_names, ""], object)  # `UNLABELLED` is the last place
    table: Any = pd.concat(
        [
            pd.DataFrame(
                {
                    "image": list(source.names),
                    "label": class_names[source.labels],
                    "split": split,
                    "group": list(source.groups or source.names),
                    CONTENT: contents(source),
                }
            )
            for split, source in data.sources.items()
        ]
    )
    if table["group"].equals(table["image"]):  # no image is a copy of another
        table = table.drop(columns="group")
    return table if table[CONTENT].any() else table.drop(columns=CONTENT)


def contents(source: ImageSource) -> list[str]:
    """Digest of the content of each image as text; empty where it is not known."""
    if source.digests is None:
        return [""] * len(source)
    return [digest[:DIGEST_BYTES].hex() for digest in source.digests]
