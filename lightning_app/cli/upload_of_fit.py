"""Upload of the best checkpoint at the end of a fit, so that other machines find it."""

import os
import warnings
from typing import Literal

from jsonargparse import ArgumentParser
from lightning.pytorch import Trainer
from mlflow.exceptions import MlflowException

from lightning_app.cli.summary import best_and_last
from lightning_app.store.run_recorder import run_logger_of
from lightning_app.store.uploaded_checkpoint import DIGEST, FILE, upload

Place = Literal["local", "upload"]
HELP = (
    "`upload` stores best.ckpt as an artifact of its run at the end of a fit, so that `best`, the "
    "name of the run and models:/ find it on any machine. `local` leaves it where it was trained."
)


def add_upload_option(parser: ArgumentParser) -> None:
    """Add `--checkpoints`."""
    parser.add_argument("--checkpoints", type=Place, default="local", help=HELP)


def upload_of_fit(trainer: Trainer, place: Place) -> None:
    """Upload the best checkpoint of a fit if that was asked for; a failure is only a warning.

    Args:
        trainer: Trainer of the fit, which may have failed or been stopped.
        place: Where the checkpoints belong.
    """
    logger, best = run_logger_of(trainer), best_and_last(trainer)[0]
    if logger is None or not trainer.is_global_zero or not logger._initialized:
        return
    # A resumed fit must not leave an outdated one in the store.
    known = logger.attached is not None and DIGEST in logger.attached[1].data.tags
    if place == "local" and not known:
        return
    file = logger.checkpoint_folder / FILE
    if best is None or not file.is_file():
        return
    try:
        upload(logger.sent_client, logger.run_id or "", file)
    except (MlflowException, OSError) as error:  # the run itself is complete
        if os.environ.get("LIGHTNING_CLI_DEBUG"):
            raise
        warnings.warn(f"{file} was not uploaded: {error}", stacklevel=2)
    else:
        print(f"Uploaded    {file.name}, as checkpoints/{file.name} of the run")
