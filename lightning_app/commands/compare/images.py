"""Images of a run, read with the data settings that the run has stored."""

import argparse
from collections.abc import Sequence

import yaml
from torch import Tensor

from datamodules import ImageDataModule
from lightning_app.cli.allowed_classes import only_allowed_classes
from lightning_app.cli.config_parser import make_config_parser
from lightning_app.cli.errors.parse_errors import explain_parse_error
from lightning_app.store.predictions import SplitName
from lightning_app.store.stored_run import StoredRun

CONFIG = "config/config.yaml"


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
    source = (data := _build(record)).sources.get(split)
    places = {} if source is None else {name: place for place, name in enumerate(source.names)}
    if missing := [name for name in names if name not in places]:
        raise ValueError(f"the dataset of this configuration has no {split} image {missing[0]}.")
    pixels = data.images(split, [places[name] for name in names])
    return dict(zip(names, pixels, strict=True))


def _build(record: StoredRun) -> ImageDataModule:
    """The datamodule of a run."""
    settings = yaml.safe_load(record.text(CONFIG)) or {}
    if not settings.get("data"):
        raise ValueError(f"the run has no {CONFIG} with its data settings.")
    parser = make_config_parser("lightning_cli compare", "")
    parser.exit_on_error = False
    try:
        with only_allowed_classes(f"the configuration of the run {record.run.info.run_name!r}"):
            return parser.instantiate_classes(parser.parse_object({"data": settings["data"]})).data
    except argparse.ArgumentError as error:  # written by another version, or an unknown class
        raise ValueError(" ".join(explain_parse_error(str(error), (), parser).split())) from error
