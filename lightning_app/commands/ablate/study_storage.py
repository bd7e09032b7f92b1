"""Storage of the studies of searches: a file beside the runs, or a database for many machines."""

import os

import optuna
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from datamodules.redaction import redact_text

HEARTBEAT, GRACE = 15, 60  # seconds; a trial whose process has died is repeated after `GRACE`
FORM = "postgresql+psycopg://USER@HOST/DATABASE"


def address_of(storage: str) -> str:
    """The address of a storage: a variable of the environment, as `$NAME`, is replaced."""
    return os.path.expandvars(storage)


def open_storage(storage: str) -> RDBStorage:
    """Open the database of the studies; a new one gets its tables.

    Args:
        storage: Its address, as SQLAlchemy takes it.

    Raises:
        ValueError: If the address is none, its driver is missing, or the database does not answer.
    """
    address = address_of(storage)
    shown = redact_text(storage)
    try:
        return RDBStorage(
            address,
            heartbeat_interval=HEARTBEAT,
            grace_period=GRACE,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
        )
    except (ModuleNotFoundError, ImportError, NoSuchModuleError) as error:
        raise ValueError(
            f"The driver of search.storage {shown} is missing: {error}. For PostgreSQL, install "
            f"`lightning-image-classification[postgres]` and use {FORM}."
        ) from error
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"search.storage is {shown}; expected {FORM}.") from error
    except OperationalError as error:
        reason = redact_text(str(error.orig))
        raise ValueError(f"search.storage {shown} does not answer: {reason}") from error


def load_study(storage: str, name: str, pruner: optuna.pruners.BasePruner) -> optuna.Study:
    """Load a study that there is."""
    return optuna.load_study(study_name=name, storage=address_of(storage), pruner=pruner)
