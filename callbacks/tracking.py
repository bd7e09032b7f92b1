"""Logging to the MLflow run: figures, tables, texts; the only module here that uses MLflow."""

import json
import logging
import time
import uuid
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import MLFlowLogger
from matplotlib.figure import Figure
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_ARTIFACTS, MLFLOW_LOGGED_IMAGES, MLFLOW_RUN_NOTE

from callbacks.plots.drawing.encoded import as_png, as_webp
from callbacks.plots.drawing.grid_version import WIDTH, grid_version
from callbacks.plots.drawing.page import shrunk
from callbacks.plots.drawing.rendered import rendered

NOTICE = "notice."  # before its name: the tag with a notice, to replace it later

log = logging.getLogger(__name__)


def log_step_figure(trainer: Trainer, figure: Figure, key: str, epoch: int) -> None:
    """Log a figure to the image grid of the run, under a key and an epoch.

    The grid shows its grid version, and the figure itself when one clicks it. MLflow's `log_image`
    with a key would always show the figure shrunk to 256 pixels, as is done here with figures that
    have no grid version; the names of the files are its own.
    """
    image, small = rendered(figure), grid_version(figure)
    shown = shrunk(image, WIDTH) if small is None else rendered(small)
    name = f"images/{key.replace('/', '~')}+step+{epoch}+timestamp+{time.time_ns() // 1_000_000}"
    name = f"{name}+{uuid.uuid4()}"
    png, webp = as_png(image), as_webp(shown)
    for client, run_id in _runs(trainer):
        store_image(client, run_id, png, f"{name}.png")
        store_image(client, run_id, webp, f"{name}+compressed.webp")
        client.set_tag(run_id, MLFLOW_LOGGED_IMAGES, True)


def log_metric(trainer: Trainer, name: str, value: float, epoch: int) -> None:
    """Log a number at the end of a pass, where Lightning's own `log` is not available."""
    for logger in trainer.loggers:
        logger.log_metrics({name: value, "epoch": epoch}, step=trainer.global_step)


def log_figure(trainer: Trainer, figure: Figure, name: str) -> None:
    """Log a figure that is drawn once, as `figures/<name>.png`."""
    content = as_png(rendered(figure))
    for client, run_id in _runs(trainer):
        store_image(client, run_id, content, f"figures/{name}.png")


def store_figure(client: Any, run_id: str, figure: Figure, file: str) -> None:
    """Draw a figure, and store it as the artifact `file`, a PNG file."""
    store_image(client, run_id, as_png(rendered(figure)), file)


def store_image(client: Any, run_id: str, content: bytes, file: str) -> None:
    """Store the content of an image file as the artifact `file`."""
    place = PurePosixPath(file)
    with TemporaryDirectory() as temporary:
        local = Path(temporary, place.name)
        local.write_bytes(content)
        client.log_artifact(run_id, str(local), str(place.parent))


def log_table(trainer: Trainer, columns: dict[str, list[Any]], name: str) -> None:
    """Log a table; see `store_table`."""
    for client, run_id in _runs(trainer):
        store_table(client, run_id, columns, name)


def store_table(client: Any, run_id: str, columns: dict[str, list[Any]], name: str) -> None:
    """Store `tables/<name>.json`, which the UI shows as a table; it replaces an earlier one.

    MLflow's `log_table` would append the rows of a resumed fit to the earlier ones.
    """
    file = f"tables/{name}.json"
    client.log_text(run_id, pd.DataFrame(columns).to_json(orient="split", index=False), file)
    if hasattr(client, "list_table"):  # one that writes later, so that nothing waits for MLflow
        client.list_table(run_id, file)
    else:
        list_table(client, run_id, file)


def list_table(client: Any, run_id: str, artifact_file: str) -> None:
    """Make the UI list a table: the tag that MLflow's `log_table` sets."""
    listed = json.loads(client.get_run(run_id).data.tags.get(MLFLOW_LOGGED_ARTIFACTS, "[]"))
    if (entry := {"path": artifact_file, "type": "table"}) not in listed:
        client.set_tag(run_id, MLFLOW_LOGGED_ARTIFACTS, json.dumps([*listed, entry]))


def log_notice(trainer: Trainer, name: str, text: str) -> None:
    """Say something in the description of the run, which the UI shows above all; see `set_notice`.

    Args:
        trainer: The trainer of the run.
        name: Of the notice; it replaces an earlier one of this name.
        text: The notice; empty to take it back.
    """
    for client, run_id in _runs(trainer):
        if hasattr(client, "set_notice"):  # one that writes later
            client.set_notice(run_id, name, text)
        else:
            set_notice(client, run_id, name, text)


def set_notice(client: Any, run_id: str, key: str, value: str) -> None:
    """Put a notice in front of the description of a run, whose other text is the user's."""
    tags = client.get_run(run_id).data.tags
    before, description = tags.get(f"{NOTICE}{key}", ""), tags.get(MLFLOW_RUN_NOTE, "")
    if before == value:
        return
    rest = description.replace(before, "", 1).strip() if before else description
    client.set_tag(run_id, MLFLOW_RUN_NOTE, "\n\n".join(filter(None, [value, rest])))
    client.set_tag(run_id, f"{NOTICE}{key}", value)


def log_text(trainer: Trainer, text: str, file: str) -> None:
    """Log a text as the artifact `file`."""
    for client, run_id in _runs(trainer):
        client.log_text(run_id, text, file)


def log_tag(trainer: Trainer, name: str, value: str) -> None:
    """Set a tag of the run."""
    for client, run_id in _runs(trainer):
        client.set_tag(run_id, name, value)


def metric_history(trainer: Trainer, name: str) -> list[tuple[int, float]]:
    """Values of a metric in the run as (epoch, value), the last one of each epoch.

    Empty if the tracking server cannot be reached: a missing figure must not end a training.
    """
    points: dict[int, float] = {}
    for client, run_id in _runs(trainer):
        try:
            history = client.get_metric_history(run_id, name)
        except (MlflowException, OSError) as error:
            log.warning("%s cannot be read from the tracking server: %s", name, error)
            history = []
        points |= {metric.step: metric.value for metric in history}
    return sorted(points.items())


def metric_names(trainer: Trainer, prefix: str) -> list[str]:
    """Sorted names of the run's metrics with this prefix; none if it cannot be reached."""
    names: set[str] = set()
    for client, run_id in _runs(trainer):
        try:
            names |= client.get_run(run_id).data.metrics.keys()
        except (MlflowException, OSError) as error:
            log.warning("The run cannot be read from the tracking server: %s", error)
    return sorted(name for name in names if name.startswith(prefix))


def _runs(trainer: Trainer) -> list[tuple[Any, str]]:
    """Client and id of each MLflow run of this trainer; none in processes that do not log."""
    loggers = [logger for logger in trainer.loggers if isinstance(logger, MLFlowLogger)]
    if not trainer.is_global_zero:
        return []
    return [(logger.experiment, logger.run_id or "") for logger in loggers]
