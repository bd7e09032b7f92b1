"""Training commands `fit`, `validate`, `test` and `predict`, with the messages that they hide."""

import logging
import sys
import warnings
from contextlib import nullcontext

import torch

from datamodules import ImageDataModule
from lightning_app.cli.allowed_classes import only_allowed_classes
from lightning_app.cli.classification_cli import ImageClassificationCLI
from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.config_parser import import_callbacks, import_datamodules, import_models
from lightning_app.cli.defaults import IGNORED_WARNINGS, TRAINER
from lightning_app.cli.one_line.expand import expand
from lightning_app.cli.ranks import agreed
from lightning_app.store.run_recorder import RunRecorder
from models import ImageClassifier

import_callbacks()
import_datamodules()
import_models()


def run(
    args: list[str] | None = None, cli: type[ImageClassificationCLI] = ImageClassificationCLI
) -> ImageClassificationCLI:
    """Run `fit`, `validate`, `test` or `predict`.

    Args:
        args: The command and its options; None for those of `sys.argv`.
        cli: The class that runs it.

    Returns:
        The finished command, with its `trainer`, `model`, `datamodule` and `config`.

    Raises:
        ValueError: If a setting is not possible.
        SystemExit: With 2 if the options do not parse.

    Example:
        >>> cli = run(["fit", "--config", "configs/digits.yaml", "--trainer.max_epochs", "3"])
        >>> cli.trainer.callback_metrics["val/accuracy"]
    """
    arguments = sys.argv[1:] if args is None else args
    _hide_messages()
    torch.set_float32_matmul_precision("high")  # uses tensor cores, if there are any
    expanded, run_name = agreed("settings", lambda: expand(arguments))
    origin = f"the configuration of the run {run_name!r}"
    with only_allowed_classes(origin) if run_name else nullcontext():  # it may come from anyone
        return cli(
            command=arguments[0],
            model_class=ImageClassifier,
            datamodule_class=ImageDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            parser_class=CommandParser,
            save_config_callback=RunRecorder,
            save_config_kwargs={"command": arguments},
            seed_everything_default=0,
            trainer_defaults=TRAINER,
            args=expanded,
        )


def _hide_messages() -> None:
    for message in IGNORED_WARNINGS:
        warnings.filterwarnings("ignore", message)
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # hide a line for each thread it starts
    for noisy in ("mlflow.store.db.utils", "urllib3"):  # our own line says that MLflow is away
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(_is_no_tip)


def _is_no_tip(record: logging.LogRecord) -> bool:
    return "Tip:" not in record.getMessage()  # tips are for other products of Lightning's company
