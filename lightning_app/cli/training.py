"""The commands that train and test: the only place where all packages meet."""

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, ProgressBar, TQDMProgressBar
from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI
from lightning.pytorch.utilities import rank_zero_info

from callbacks import PredictionWriter, Stopwatch, UnreadableMonitor
from datamodules import ImageDataModule
from lightning_app.cli.config_parser import import_datamodules, import_models, link_data_to_model
from lightning_app.cli.defaults import BEST, LAST, QUIET, TRAINER
from lightning_app.cli.errors.parse_errors import BriefParser
from lightning_app.cli.picture_options import add_pictures, picture_callbacks
from lightning_app.cli.summary import print_predictions, print_summary
from lightning_app.commands.report.ending import report_run
from lightning_app.commands.report.settings import Report
from lightning_app.store.checkpoint_io import AtomicCheckpointIO
from lightning_app.store.checkpoints import KEYWORDS, find_checkpoint, read_checkpoint
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.run_recorder import CLASS_NAMES, RUN_ID, RunRecorder, run_logger_of
from models import ImageClassifier

import_datamodules()
import_models()


class ImageClassificationCLI(LightningCLI):
    """LightningCLI that tracks every run and shows it from the inside."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Link what the data know to what the model needs; add checkpoints and pictures."""
        link_data_to_model(parser)
        for name, defaults in (("best_checkpoint", BEST), ("last_checkpoint", LAST)):
            parser.add_lightning_class_args(ModelCheckpoint, name)
            parser.set_defaults({f"{name}.{key}": value for key, value in defaults.items()})
        add_pictures(parser)
        skipped: set[str | int] = {"recorder"}
        parser.add_class_arguments(PredictionWriter, "predictions", skip=skipped, instantiate=False)
        text = (Report.__doc__ or "").splitlines()[0]
        parser.add_argument(
            "--report", type=Report | bool, default=Report(), help=f"{text} `false` for none."
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Find the checkpoint that `best` or `last` means, or say that there is none.

        Once it is a file, LightningCLI takes the network and its settings from it.
        """
        super().parse_arguments(parser, args)
        command = self.config.subcommand
        settings = self.config[command]
        if settings.ckpt_path is not None:
            logger = settings.trainer.logger
            named = isinstance(logger, Namespace) and "experiment_name" in logger.init_args
            experiment = logger.init_args.experiment_name if named else None
            order = ("last",) if command == "fit" else KEYWORDS  # a fit goes on where it stopped
            path = find_checkpoint(settings.ckpt_path, experiment, order)
            read_checkpoint(path)  # says what is wrong with it before the parser reads it
            settings.ckpt_path = str(path)
        elif command != "fit":
            raise ValueError(
                f"`lightning_cli {command}` needs a trained network: --ckpt_path best, "
                "--ckpt_path last, --ckpt_path RUN, or --ckpt_path FILE."
            )

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Build the trainer with the pictures that are not switched off."""
        trainer = self._get(self.config_init, "trainer")
        chosen = trainer.callbacks or []
        chosen = chosen if isinstance(chosen, list) else [chosen]
        groups = ("pictures", "predictions")
        pictures = picture_callbacks(*(self._get(self.config_init, g).as_dict() for g in groups))
        # Lightning's default, Rich's, draws a hundred times a second: a tenth of a step of 20 ms.
        own_bar = any(isinstance(callback, ProgressBar) for callback in chosen)
        bar = [] if own_bar or trainer.enable_progress_bar is False else [TQDMProgressBar(10)]
        return super().instantiate_trainer(
            callbacks=[*chosen, *bar, *pictures, Stopwatch(), UnreadableMonitor()], **kwargs
        )

    def after_instantiate_classes(self) -> None:
        """Go on with the run that a checkpoint comes from, or name the new one."""
        logger = run_logger_of(self.trainer)
        if logger is not None:
            backbone = self._config.model.init_args.backbone
            logger.default_name = str(
                backbone.init_args.get("name") or backbone.class_path.rsplit(".", 1)[-1]
            )
        if path := self._config.get("ckpt_path"):
            self._continue(path, read_checkpoint(Path(path)), logger)

    def _continue(self, path: str, checkpoint: dict[str, Any], logger: RunLogger | None) -> None:
        known, given = checkpoint.get(CLASS_NAMES), list(self.datamodule.class_names)
        if known and known != given:
            raise ValueError(
                f"{path} was trained on the classes {', '.join(known)}; the data have "
                f"{', '.join(given)}."
            )
        run_id = checkpoint.get(RUN_ID)
        tested_epoch = None if self.subcommand == "fit" else checkpoint["epoch"]
        found = logger and run_id and logger.attach(run_id, tested_epoch)
        run = f"the run {logger.run_name}" if logger and found else "no run of this store"
        rank_zero_info(f"The network and its settings come from {path}, of {run}.")

    @property
    def _config(self) -> Namespace:
        """The settings of the command that runs."""
        return self.config[str(self.subcommand)]

    def _run_subcommand(self, subcommand: str) -> None:
        """Run the command; a fit that fails or is interrupted leaves a report as well."""
        try:
            super()._run_subcommand(subcommand)
        except BaseException:
            if subcommand == "fit":
                self._report()
            raise

    def _report(self) -> None:
        """Write the report of the run, if there is one."""
        report = self._get(self.config_init, "report")
        logger = run_logger_of(self.trainer)
        if report and logger is not None and logger._initialized and self.trainer.is_global_zero:
            report_run(logger, Report() if report is True else report)

    def after_fit(self) -> None:
        """Write the report, and say where the result is."""
        self._report()
        if self.trainer.is_global_zero:
            print_summary(self.trainer)

    def after_validate(self) -> None:
        """Say where the predictions are."""
        if self.trainer.is_global_zero:
            print_predictions(self.trainer, "val")

    def after_test(self) -> None:
        """Write the report anew, with the test, and say where the predictions are."""
        self._report()
        if self.trainer.is_global_zero:
            print_predictions(self.trainer, "test")

    def after_predict(self) -> None:
        """Say where the predictions are."""
        if self.trainer.is_global_zero:
            print_predictions(self.trainer, "predict")


def run(
    args: list[str] | None = None, cli: type[ImageClassificationCLI] = ImageClassificationCLI
) -> ImageClassificationCLI:
    """Run `fit`, `validate`, `test` or `predict`; `args` replaces `sys.argv`."""
    for message in QUIET:
        warnings.filterwarnings("ignore", message)
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # else it reports each thread it starts
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(_is_no_tip)
    torch.set_float32_matmul_precision("high")  # tensor cores where there are some
    return cli(
        model_class=ImageClassifier,
        datamodule_class=ImageDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        auto_configure_optimizers=False,
        parser_class=BriefParser,
        save_config_callback=RunRecorder,
        save_config_kwargs={"command": sys.argv[1:] if args is None else args},
        seed_everything_default=0,
        trainer_defaults=TRAINER,
        args=args,
    )


def _is_no_tip(record: logging.LogRecord) -> bool:
    return "Tip:" not in record.getMessage()  # for other products of Lightning's


__all__ = ["AtomicCheckpointIO", "ImageClassificationCLI", "RunLogger", "run"]  # named in TRAINER
