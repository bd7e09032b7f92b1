"""Data settings of a stored run, and the datamodule that they describe."""

import argparse
from typing import Any

import yaml

from datamodules import ImageDataModule
from lightning_app.cli.config_parser import make_config_parser
from lightning_app.cli.errors.parse_errors import explain_parse_error
from lightning_app.store.moved_classes import with_current_class_paths
from lightning_app.store.stored_run import StoredRun

CONFIG = "config/config.yaml"


def recorded_data(record: StoredRun) -> dict[str, Any]:
    """The section `data` of a run's configuration; empty if the run has none."""
    settings = yaml.safe_load(with_current_class_paths(record.text(CONFIG))) or {}
    return settings.get("data") or {}


def build_data(settings: dict[str, Any]) -> ImageDataModule:
    """The datamodule of a section `data`. Nothing is prepared or cached.

    Raises:
        ValueError: If there are no settings, or they do not parse.
    """
    if not settings:
        raise ValueError(f"the run has no {CONFIG} with its data settings.")
    parser = make_config_parser("lightning_cli", "")
    parser.exit_on_error = False
    try:
        return parser.instantiate_classes(parser.parse_object({"data": settings})).data
    except argparse.ArgumentError as error:  # written by another version, or an unknown class
        raise ValueError(" ".join(explain_parse_error(str(error), (), parser).split())) from error
