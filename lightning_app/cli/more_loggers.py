"""More loggers beside the MLflow run: `--loggers csv`, `tensorboard` or `wandb`."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from jsonargparse import Namespace
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from lightning_app.store.locations import ROOT
from lightning_app.store.run_logger import RunLogger

Kind = Literal["csv", "tensorboard", "wandb"]
Kinds = Kind | list[Kind]
PACKAGES: dict[Kind, tuple[str, ...]] = {
    "csv": (),
    "tensorboard": ("tensorboard", "tensorboardX"),
    "wandb": ("wandb",),
}
DEFAULT_EXPERIMENT = "image_classification"  # that of `RunLogger`
HELP = "Loggers of metrics beside MLflow: csv, tensorboard, wandb, or a list of them."


def with_more_loggers(configured: Any, kinds: Kinds) -> Any:
    """The loggers of the trainer, and others that write below `mlruns/<kind>/<experiment>`.

    They get the metrics; pictures are in MLflow alone.

    Args:
        configured: `trainer.logger`: a logger, several, true, false or None.
        kinds: The others; see `check_loggers`.
    """
    if not kinds:
        return configured
    listed = configured if isinstance(configured, list) else [configured]
    loggers = [logger for logger in listed if isinstance(logger, Logger)]
    own = next((logger for logger in loggers if isinstance(logger, RunLogger)), None)
    root, experiment = (own.root, own.experiment_name) if own else (ROOT, DEFAULT_EXPERIMENT)
    chosen: Sequence[Kind] = [kinds] if isinstance(kinds, str) else kinds
    return [*loggers, *(_make(kind, root / kind, experiment) for kind in dict.fromkeys(chosen))]


def check_loggers(kinds: str | Sequence[str]) -> None:
    """Check that there are such loggers, and that their packages are installed.

    Raises:
        ValueError: If there is no such logger, or a package is missing.
    """
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind not in PACKAGES:
            names = ", ".join(PACKAGES)
            raise ValueError(f"--loggers expects {names}, or a list of them, got {kind!r}.")
        packages = PACKAGES[kind]
        if packages and not any(map(find_spec, packages)):
            raise ValueError(
                f"--loggers {kind} needs a package that is not installed: "
                f"pip install {packages[0]}."
            )


def experiment_of(settings: Any) -> str | None:
    """Name of the experiment in the settings of one or several loggers; None if there is none."""
    listed = settings if isinstance(settings, list) else [settings]
    names = [one.init_args.get("experiment_name") for one in listed if isinstance(one, Namespace)]
    return next(filter(None, names), None)


def _make(kind: Kind, folder: Path, experiment: str) -> Logger:
    if kind == "csv":
        return CSVLogger(folder, experiment)
    if kind == "tensorboard":
        return TensorBoardLogger(folder, experiment)
    folder.mkdir(parents=True, exist_ok=True)
    return WandbLogger(project=experiment, save_dir=folder)
