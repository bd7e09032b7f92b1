"""Put pictures, tables and texts into the run; no other module of the callbacks knows MLflow."""

import logging
from typing import Any

import numpy as np
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import MLFlowLogger
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mlflow.exceptions import MlflowException

log = logging.getLogger(__name__)


def log_step_figure(trainer: Trainer, figure: Figure, key: str) -> None:
    """Add a picture to the run's image grid; the same key at another epoch lies beside it."""
    image = _pixels(figure)
    for client, run_id in _runs(trainer):
        client.log_image(run_id, image, key=key, step=trainer.current_epoch)


def log_figure(trainer: Trainer, figure: Figure, name: str) -> None:
    """Store a picture that stays as it is, as `figures/<name>.png`."""
    for client, run_id in _runs(trainer):
        client.log_figure(run_id, figure, f"figures/{name}.png")


def log_table(trainer: Trainer, columns: dict[str, list[Any]], name: str) -> None:
    """Store a table, which the UI shows as one, as `tables/<name>.json`."""
    for client, run_id in _runs(trainer):
        client.log_table(run_id, columns, f"tables/{name}.json")


def log_text(trainer: Trainer, text: str, file: str) -> None:
    """Store a text as the artifact `file`."""
    for client, run_id in _runs(trainer):
        client.log_text(run_id, text, file)


def metric_history(trainer: Trainer, name: str) -> list[tuple[int, float]]:
    """Points (epoch, value) that the run holds of a metric; the last one of each epoch.

    Empty while the tracker is away: no picture is worth a training.
    """
    points: dict[int, float] = {}
    for client, run_id in _runs(trainer):
        try:
            history = client.get_metric_history(run_id, name)
        except (MlflowException, OSError) as error:
            log.warning("%s cannot be read back from the tracker: %s", name, error)
            history = []
        points |= {metric.step: metric.value for metric in history}
    return sorted(points.items())


def _pixels(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _runs(trainer: Trainer) -> list[tuple[Any, str]]:
    """Client and id of each MLflow run of this trainer, in the process that writes to it."""
    loggers = [logger for logger in trainer.loggers if isinstance(logger, MLFlowLogger)]
    if not trainer.is_global_zero:
        return []
    return [(logger.experiment, logger.run_id or "") for logger in loggers]
