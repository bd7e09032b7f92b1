"""Drivers of databases and object stores, which are optional: errors that say what to install."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import Experiment

POSTGRES, S3 = "postgresql", "s3://"


def check_database(uri: str) -> None:
    """Check that the driver of a tracking URI is installed.

    Raises:
        ValueError: If it is PostgreSQL without a driver.
    """
    scheme = uri.partition("://")[0]
    dialect, _, driver = scheme.partition("+")
    if dialect == POSTGRES and find_spec(driver or "psycopg2") is None:
        raise ValueError(
            f"MLFLOW_TRACKING_URI begins with {scheme}://, whose driver {driver or 'psycopg2'} is "
            "not installed. Install `lightning-image-classification[postgres]` and use "
            f"{POSTGRES}+psycopg://."
        )


def check_artifacts(experiment: "Experiment") -> None:
    """Check that the artifacts of an experiment can be written and read.

    Raises:
        ValueError: If they are in S3 and boto3 is missing.
    """
    place = experiment.artifact_location or ""
    if place.startswith(S3) and find_spec("boto3") is None:
        raise ValueError(
            f"The artifacts of the experiment {experiment.name!r} are in {place}, which needs "
            "boto3: install `lightning-image-classification[s3]`. A server that is started with "
            "`mlflow server --artifacts-destination s3://…` passes them on, and no other machine "
            "needs it."
        )
