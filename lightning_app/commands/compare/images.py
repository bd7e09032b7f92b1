"""Images of a run, read with the data settings that the run has stored."""

from collections.abc import Sequence

from torch import Tensor

from lightning_app.cli.recorded_data import build_data
from lightning_app.store.predictions import SplitName
from lightning_app.store.stored_run import StoredRun


def read_images(record: StoredRun, split: SplitName, names: Sequence[str]) -> dict[str, Tensor]:
    """Read images, (C, H, W) each, in [0, 1] and of one size, by their names.

    Nothing is prepared or cached, and only these images are opened.

    Args:
        record: A run that was scored on them.
        split: Their split.
        names: Their names.

    Raises:
        ValueError: If they have moved.
    """
    source = (data := build_data(record)).sources.get(split)
    places = {} if source is None else {name: place for place, name in enumerate(source.names)}
    if missing := [name for name in names if name not in places]:
        raise ValueError(f"the dataset of this configuration has no {split} image {missing[0]}.")
    pixels = data.images(split, [places[name] for name in names])
    return dict(zip(names, pixels, strict=True))
