"""Images that a network was trained on: found before they are used to measure how good it is."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from datamodules import ImageDataModule
from datamodules.sources.source import ImageSource
from lightning_app.cli.recorded_data import build_data, recorded_data
from lightning_app.store.parameters import flatten
from lightning_app.store.recorded_images import CONTENT, contents
from lightning_app.store.stored_run import StoredRun

SPLITS_FILE = "data/splits.csv"
COMPARED = 8  # images that are read to find out whether equal names mean equal images
OF_THE_SAME_PLACE = ("data.split.", "data.options.")
# Settings below `data` that change neither which images there are nor their splits.
WITHOUT_EFFECT = (
    *("batch_size", "num_workers", "image_size", "num_channels", "augmentation"),
    *(f"options.{name}" for name in ("sampling", "mixup", "cutmix", "test_time_views", "cache")),
    *(f"options.{name}" for name in ("on_error", "origin", "label_fixes")),
)


def count_seen(
    record: StoredRun, data: ImageDataModule, split: str, settings: dict[str, Any]
) -> int:
    """Number of images of a split that the network of a run was trained on.

    Images are compared with the run's `data/splits.csv` by their content, their names, and the
    originals that they are copies of. If the images come from another place than those of the run,
    equal names may mean different images: then only the content counts, or, where the run has not
    recorded it, some pixels are compared. Images that the run itself had in this split do not
    count, even if they are in its training set as well.

    Args:
        record: The run.
        data: The datamodule of the command.
        split: Split that is evaluated.
        settings: The section `data` of the command's configuration.

    Returns:
        The number; 0 for runs of earlier versions, which did not record their splits.
    """
    source, table = data.sources[split], _recorded_images(record)
    copies, named = _copies(table, source, split), _named(table, source, split)
    differing = differing_settings(recorded_data(record), settings)
    if named.any() and any(not key.startswith(OF_THE_SAME_PLACE) for key in differing):
        known = CONTENT in table and source.digests is not None
        if known or _are_others(record, data, source, np.flatnonzero(named)):
            return int(copies.sum())
    return int((copies | named).sum())


def differing_settings(before: dict[str, Any], now: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Settings that may change which image is in which split, with their values before and now.

    Args:
        before: The section `data` of the run.
        now: That of the command.
    """
    old, new = flatten({"data": before}), flatten({"data": now})
    return {
        key: (old.get(key, "null"), new.get(key, "null"))
        for key in sorted(old.keys() | new.keys(), key=lambda key: ("split" not in key, key))
        if old.get(key) != new.get(key) and not _has_no_effect(key)
    }


def _has_no_effect(key: str) -> bool:
    name = key.removeprefix("data.")
    return any(name == each or name.startswith(f"{each}.") for each in WITHOUT_EFFECT)


def _recorded_images(record: StoredRun) -> Any:
    """The images of a run with their splits; without rows for runs of earlier versions."""
    content, columns = record.content(SPLITS_FILE), ("image", "split", "group", CONTENT)
    if not content:
        return pd.DataFrame(columns=["image", "split"])
    types: Any = dict.fromkeys(columns, str)
    return pd.read_csv(
        io.BytesIO(content), dtype=types, keep_default_na=False, usecols=lambda c: c in columns
    )


def _copies(table: Any, source: ImageSource, split: str) -> np.ndarray:
    """Which images of a source have the content of a training image, (N,)."""
    if CONTENT not in table:
        return np.zeros(len(source), dtype=bool)
    trained, own = (set(table[CONTENT][table["split"] == each]) for each in ("train", split))
    return pd.Index(contents(source)).isin(trained - own - {""})


def _named(table: Any, source: ImageSource, split: str) -> np.ndarray:
    """Which images of a source have the name, or the original, of a training image, (N,)."""
    trained, own = table[table["split"] == "train"], table[table["split"] == split]
    names = pd.Index(source.names)
    seen = names.isin(trained["image"])
    if source.groups and "group" in trained:
        seen |= pd.Index(source.groups).isin(trained["group"])
    return seen & ~names.isin(own["image"])


def _are_others(
    record: StoredRun, data: ImageDataModule, source: ImageSource, seen: np.ndarray
) -> bool:
    """Whether the images with the names of training images are other images.

    If the images of the run have gone, they have probably moved: then equal names are taken for
    equal images.
    """
    chosen = seen[np.linspace(0, len(seen) - 1, min(COMPARED, len(seen))).round().astype(int)]
    try:
        mine = [source.read(int(index)) for index in chosen]
        theirs = _read(record, data, [source.names[int(index)] for index in chosen])
    except (ValueError, OSError):
        return False
    pairs = [
        (a, theirs[source.names[int(i)]])
        for a, i in zip(mine, chosen, strict=True)
        if source.names[int(i)] in theirs
    ]
    return bool(pairs) and not any(np.array_equal(a, b) for a, b in pairs)


def _read(record: StoredRun, data: ImageDataModule, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Images of a run by their names, in the size of the command's; those that are still there."""
    size = {"image_size": data.image_size, "num_channels": data.num_channels}
    arguments = recorded_data(record).get("init_args") or {}
    known = {name: value for name, value in size.items() if name in arguments}
    found: dict[str, np.ndarray] = {}
    for source in build_data(record, **known).sources.values():
        places = {name: place for place, name in enumerate(source.names)}
        found |= {name: source.read(places[name]) for name in names if name in places}
    return found
