"""The metric that chooses the best checkpoint of a fit: `--metric`."""

import re
from pathlib import Path

from jsonargparse import Namespace

from lightning_app.cli.defaults import BEST_CHECKPOINT
from lightning_app.store.checkpoints import read_checkpoint
from models.evaluation.metrics import METRICS, metric_named

HELP = (
    "What chooses the best checkpoint: accuracy (the default), f1_macro, log_loss, quadratic_kappa "
    "or auc (one class against the rest, mean). EarlyStopping follows it. It is computed from all "
    "validation images, and logged as `val/NAME` and `test/NAME`."
)
DEFAULT = BEST_CHECKPOINT["monitor"]
MONITOR = re.compile(r"ModelCheckpoint\{'monitor': 'val/(\w+)'")  # a key of its state


def follow_metric(settings: Namespace) -> None:
    """Let best checkpoint and early stopping monitor the chosen metric, in its direction.

    Without `--metric`, that of the checkpoint is chosen, if there is one.

    Args:
        settings: Of the command; they are changed.

    Raises:
        ValueError: If `--best_checkpoint.monitor` names another one.
    """
    best = settings.best_checkpoint
    if settings.metric is None and settings.ckpt_path and best.monitor == DEFAULT:
        settings.metric = metric_of_checkpoint(Path(settings.ckpt_path))
    if settings.metric is None:
        return
    monitor, mode = f"val/{settings.metric}", metric_named(settings.metric).mode
    if best.monitor not in (DEFAULT, monitor):
        raise ValueError(
            f"--metric is {settings.metric}, but best_checkpoint.monitor is {best.monitor}; "
            "leave one of them out."
        )
    best.monitor, best.mode = monitor, mode
    for callback in settings.trainer.callbacks or []:
        if callback.class_path.endswith(".EarlyStopping"):
            callback.init_args.monitor, callback.init_args.mode = monitor, mode


def metric_of_checkpoint(file: Path) -> str | None:
    """The metric by which a fit chose its best checkpoint; None if it was the default."""
    states = read_checkpoint(file).get("callbacks") or {}
    found = [match[1] for key in states if (match := MONITOR.match(key))]
    known = [name for name in found if name in {metric.name for metric in METRICS}]
    return next((name for name in known if f"val/{name}" != DEFAULT), None)
