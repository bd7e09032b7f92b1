"""LightningCLI with tracked runs, pictures, a report, and checkpoints that are found by name."""

import json
import time
from contextlib import nullcontext
from typing import Any

from jsonargparse import Namespace
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI

from callbacks import FrozenFeatures, NoProfiler, PredictionWriter, ProcessWatch, StopSignals
from callbacks.empty_hooks import leave_out_empty_hooks
from lightning_app.cli import defaults
from lightning_app.cli.allowed_classes import only_allowed_classes
from lightning_app.cli.chosen_checkpoint import chosen_checkpoint
from lightning_app.cli.chosen_metric import HELP as METRIC
from lightning_app.cli.chosen_metric import follow_metric
from lightning_app.cli.class_path_changes import settings_of_checkpoint
from lightning_app.cli.config_parser import link_data_to_model
from lightning_app.cli.continued_run import continue_run
from lightning_app.cli.defaults import BEST_CHECKPOINT, LAST_CHECKPOINT
from lightning_app.cli.ends import end_run, raise_for_user
from lightning_app.cli.evaluation_recorder import evaluation_callbacks
from lightning_app.cli.kept_settings import report_kept_settings
from lightning_app.cli.model_of_fit import link_scores_of_evaluation, log_model_of_fit
from lightning_app.cli.more_loggers import experiment_of, with_more_loggers
from lightning_app.cli.one_line.settings import (
    add_one_line_options,
    check_options,
    deciding_callbacks,
)
from lightning_app.cli.own_callbacks import OnNonfinite, fit_guards, monitors, with_progress_bar
from lightning_app.cli.picture_options import add_pictures, picture_callbacks
from lightning_app.cli.ranks import agreed
from lightning_app.cli.sent_checkpoint import checkpoint_on_all_ranks
from lightning_app.cli.strategies import check_strategy
from lightning_app.cli.summary import print_fit_summary, print_prediction_files
from lightning_app.cli.upload_of_fit import add_upload_option, upload_of_fit
from lightning_app.commands.report.report_of_fit import report_run
from lightning_app.commands.report.settings import Report
from lightning_app.store.recorded_settings import resolved_settings
from lightning_app.store.run_recorder import run_logger_of
from models.evaluation.metrics import MetricName

CORRUPT = (
    "Also test on corrupted images, as `corrupted/…`: noise, blur, weather and digital damage. A "
    "number is that of the images to corrupt, instead of at most 500."
)
ON_NONFINITE = "Whether a loss or gradient that is not finite stops a fit, or skips its step."


class ImageClassificationCLI(LightningCLI):
    """LightningCLI that tracks every run, draws its pictures and ends with a report.

    Args:
        command: The command that is run. Only its parser is built: each takes a sixth of a second.
        options: Options of LightningCLI.
    """

    def __init__(self, command: str, **options: Any) -> None:
        self.command, self.started = command, time.monotonic()
        super().__init__(**options)

    def subcommands(self) -> dict[str, set[str]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The command that is run, with the arguments of the trainer's method to skip."""
        return {self.command: LightningCLI.subcommands()[self.command]}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Link data and model; add options of checkpoints, pictures, predictions and report."""
        link_data_to_model(parser)
        checkpoints = {"best_checkpoint": BEST_CHECKPOINT, "last_checkpoint": LAST_CHECKPOINT}
        for name, settings in checkpoints.items():
            parser.add_lightning_class_args(ModelCheckpoint, name)
            parser.set_defaults({f"{name}.{key}": value for key, value in settings.items()})
        add_pictures(parser)
        parser.add_argument(
            "--allow_seen",
            type=bool,
            default=False,
            help="Evaluate on training images, too; the metrics are then called `test_seen/…`.",
        )
        if self.command == "test":
            parser.add_argument("--corrupt", type=bool | int, default=False, help=CORRUPT)
        skipped: set[str | int] = {"recorder"}
        parser.add_class_arguments(PredictionWriter, "predictions", skip=skipped, instantiate=False)
        text = (Report.__doc__ or "").splitlines()[0]
        add_one_line_options(parser)
        add_upload_option(parser)
        parser.add_argument("--metric", type=MetricName | None, default=None, help=METRIC)
        parser.add_argument("--on_nonfinite", type=OnNonfinite, default="stop", help=ON_NONFINITE)
        parser.add_argument(
            "--report", type=Report | bool, default=Report(), help=f"{text} `false` for none."
        )
        parser.add_argument(
            "--log_model",
            type=bool,
            default=defaults.LOG_MODEL,
            help="Log the best checkpoint as an MLflow model at the end of a fit.",
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse, and replace `best`, `last` or a run in `ckpt_path` by the file of its checkpoint.

        LightningCLI then reads the settings of the model from that file.

        Raises:
            ValueError: If there is no such checkpoint, or none is given where one is needed.
        """
        self.arguments = args if isinstance(args, list) else []
        super().parse_arguments(parser, args)
        settings = self._settings
        check_options(settings.time, settings.loggers)  # data and network are built before them
        check_strategy(settings.trainer.strategy)
        experiment = experiment_of(settings.trainer.logger)
        path = checkpoint_on_all_ranks(
            lambda: chosen_checkpoint(self.command, settings.ckpt_path, experiment)
        )
        settings.ckpt_path = path and str(path)
        follow_metric(settings)

    def _parse_ckpt_path(self) -> None:
        """Take the network and its settings from the checkpoint, whatever the configuration has."""
        path, given = self._settings.ckpt_path, self._settings.model.clone().as_dict()
        with settings_of_checkpoint(), only_allowed_classes(path):
            super()._parse_ckpt_path()
        if path and self.command == "fit":
            kept = self._settings.model.as_dict()
            report_kept_settings(given, kept, self.arguments, path)
        elif path:
            arguments = self._settings.model.init_args.backbone.init_args
            # They would be downloaded, and then replaced by those of the checkpoint.
            for name, value in (("pretrained", False), ("weights", None)):
                if name in arguments:
                    arguments[name] = value

    def _dump_config(self) -> None:
        """Keep the configuration for the checkpoints; unlike Lightning, without a second check."""
        if not hasattr(self, "config_dump"):
            options = {"skip_link_targets": False, "skip_none": False, "skip_validation": True}
            text = self.parser.dump(self.config, format="json", **options)
            self.config_dump = json.loads(text)[self.command]

    def instantiate_classes(self) -> None:
        """Build everything; of what the checkpoint names, only allowed classes."""
        path = self._settings.ckpt_path
        with only_allowed_classes(path) if path else nullcontext():
            super().instantiate_classes()

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Build the trainer with the callbacks of the configuration, the pictures and our own."""
        trainer = self._get(self.config_init, "trainer")
        groups = ("pictures", "predictions")
        pictures, predictions = (self._get(self.config_init, each).as_dict() for each in groups)
        if trainer.fast_dev_run:  # they would be drawn for minutes, and kept nowhere
            pictures["budget"] = 0
        settings = resolved_settings(self._parser(self.command), self._settings)
        self.save_config_kwargs["settings"] = settings
        evaluations = evaluation_callbacks(settings, self._settings)
        drawn = [*evaluations, *picture_callbacks(pictures, predictions, self._settings.metric)]
        own = [*drawn, *monitors(), *deciding_callbacks(settings, self.started)]
        self.watch, self.signals = ProcessWatch(), StopSignals()
        guards = fit_guards(self._settings) if self.command == "fit" else []
        first = [self.watch, self.signals, *guards]
        chosen = with_progress_bar(trainer)
        kwargs["logger"] = with_more_loggers(trainer.logger, self._get(self.config_init, "loggers"))
        kwargs["profiler"] = trainer.profiler or NoProfiler()
        callbacks = [*first, *chosen, *own, FrozenFeatures()]
        built = super().instantiate_trainer(callbacks=callbacks, **kwargs)
        leave_out_empty_hooks(built.callbacks)  # pyright: ignore[reportAttributeAccessIssue]
        return built

    def after_instantiate_classes(self) -> None:
        """Continue the run that the checkpoint belongs to, or name a new one after the backbone."""
        logger = run_logger_of(self.trainer)
        if logger is not None:
            logger.waits = True  # until the recorder is set up: a fit may be refused before
            backbone = self._settings.model.init_args.backbone
            logger.default_name = str(
                backbone.init_args.get("name") or backbone.class_path.rsplit(".", 1)[-1]
            )
        if path := self._settings.get("ckpt_path"):
            fits = self.command == "fit"
            agreed("run", lambda: continue_run(path, fits, self.trainer, self.datamodule))

    @property
    def _settings(self) -> Namespace:
        """The parsed settings of the command."""
        return self.config[self.command]

    def _run_subcommand(self, subcommand: str) -> None:
        """Run the command; write the report of a fit even if it fails or is interrupted."""
        logger = run_logger_of(self.trainer)
        try:
            super()._run_subcommand(subcommand)
        except BaseException as error:
            failure = self.watch.failure_elsewhere()
            end_run(logger, "failed", failure)
            if subcommand == "fit":
                self._upload()
                self._write_report()
            raise_for_user(error, self.trainer, failure, self.signals)
            raise
        else:
            end_run(logger)
        finally:
            if logger is not None:
                logger.close()

    def _upload(self) -> None:
        upload_of_fit(self.trainer, self._settings.checkpoints)

    def _write_report(self) -> None:
        report = self._get(self.config_init, "report")
        logger = run_logger_of(self.trainer)
        if report and logger is not None and logger._initialized and self.trainer.is_global_zero:
            report_run(logger, Report() if report is True else report)

    def after_fit(self) -> None:
        """Log the model, write the report and print a summary."""
        if self._get(self.config_init, "log_model"):
            log_model_of_fit(self.trainer)
        self._upload()
        self._write_report()
        if self.trainer.is_global_zero:
            print_fit_summary(self.trainer)

    def after_validate(self) -> None:
        """Write the report again, and print where the predictions are."""
        link_scores_of_evaluation(self.trainer)
        self._write_report()
        if self.trainer.is_global_zero:
            print_prediction_files(self.trainer, "val")

    def after_test(self) -> None:
        """Write the report again, now with the test, and print where the predictions are."""
        link_scores_of_evaluation(self.trainer)
        self._write_report()
        if self.trainer.is_global_zero:
            print_prediction_files(self.trainer, "test")

    def after_predict(self) -> None:
        """Print where the predictions are."""
        if self.trainer.is_global_zero:
            print_prediction_files(self.trainer, "predict")
