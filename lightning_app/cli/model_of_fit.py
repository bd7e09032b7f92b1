"""MLflow model at the end of a fit, and the scores that a later test adds to it."""

import os
import warnings
from pathlib import Path

from lightning.pytorch import Trainer
from mlflow.exceptions import MlflowException

from lightning_app.cli.errors.user_errors import DEBUG
from lightning_app.cli.summary import best_and_last
from lightning_app.store.logged_models import epoch_of, link_scores, logged_model_of
from lightning_app.store.run_recorder import run_logger_of


def log_model_of_fit(trainer: Trainer) -> None:
    """Log the best checkpoint of a fit, or else the last one; a failure is only a warning.

    Args:
        trainer: Trainer of the fit.
    """
    logger = run_logger_of(trainer)
    checkpoint = next((each for each in best_and_last(trainer) if each is not None), None)
    if logger is None or checkpoint is None or not trainer.is_global_zero:
        return
    # onnxscript and MLflow's models take seconds to import.
    from lightning_app.cli.networks.exportable import Exportable
    from lightning_app.cli.networks.logged_model import log_model

    try:
        client = logger.sent_client
        stored = client, client.get_run(logger.run_id or "")
        data = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
        model = log_model(Exportable(checkpoint.best_model_path, data, stored))
    except Exception as error:  # of any kind: the run itself is complete
        if os.environ.get(DEBUG):
            raise
        reason = " ".join(str(error).split())
        warnings.warn(f"No model logged: {type(error).__name__}: {reason}", stacklevel=2)
    else:
        name = Path(checkpoint.best_model_path).stem
        print(f"Model       models:/{model.model_id}, of {name} (epoch {epoch_of(model)})")


def link_scores_of_evaluation(trainer: Trainer) -> None:
    """Link the scores of a test or validation with the model that is logged of its checkpoint."""
    logger = run_logger_of(trainer)
    if logger is None or not trainer.is_global_zero:
        return
    try:
        client = logger.sent_client
        run = client.get_run(logger.run_id or "")
        if model := logged_model_of(client, run):
            link_scores(client, run, model)
    except (MlflowException, OSError):  # it is away, which the logger has said
        return
