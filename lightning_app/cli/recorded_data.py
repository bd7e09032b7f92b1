"""Data settings of a stored run, and the datamodule that they describe."""

import argparse
from typing import Any

import yaml

from datamodules import ImageDataModule
from lightning_app.cli.allowed_classes import only_allowed_classes
from lightning_app.cli.config_parser import make_config_parser
from lightning_app.cli.errors.parse_errors import explain_parse_error
from lightning_app.store.moved_classes import with_current_class_paths
from lightning_app.store.stored_run import StoredRun

CONFIG = "config/config.yaml"


def recorded_data(record: StoredRun) -> dict[str, Any]:
    """The section `data` of a run's configuration; empty if the run has none."""
    settings = yaml.safe_load(with_current_class_paths(record.text(CONFIG))) or {}
    return settings.get("data") or {}


def build_data(record: StoredRun, **arguments: Any) -> ImageDataModule:
    """The datamodule of a run, with some of its arguments replaced. Nothing is prepared or cached.

    Raises:
        ValueError: If there are no settings, they do not parse, or name a class of others.
    """
    settings = recorded_data(record)
    if not settings:
        raise ValueError(f"the run has no {CONFIG} with its data settings.")
    settings = {**settings, "init_args": (settings.get("init_args") or {}) | arguments}
    parser = make_config_parser("lightning_cli", "")
    parser.exit_on_error = False
    try:
        with only_allowed_classes(f"the configuration of the run {record.run.info.run_name!r}"):
            return parser.instantiate_classes(parser.parse_object({"data": settings})).data
    except argparse.ArgumentError as error:  # written by another version, or an unknown class
        raise ValueError(" ".join(explain_parse_error(str(error), (), parser).split())) from error
