"""`lightning_app.fit` and `evaluate`: train and test a network from Python."""

import signal
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NoReturn

from lightning.pytorch.cli import ArgsType, LightningArgumentParser

from callbacks.stop_signals import INTERRUPTED
from lightning_app.api.loading import as_run, snapshot
from lightning_app.api.run import Run, checkpoint_of
from lightning_app.api.settings import as_arguments, as_config
from lightning_app.api.splits import check_split
from lightning_app.cli import training_commands
from lightning_app.cli.allowed_classes import only_allowed_classes
from lightning_app.cli.classification_cli import ImageClassificationCLI
from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.errors.setting_places import COMMAND_LINE
from lightning_app.store.predictions import COMMANDS
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.run_recorder import run_logger_of
from lightning_app.store.runs import open_store


def fit(config: str | Path | Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Run:
    """Train a network, and return the run that is now in MLflow.

    It does what `lightning_cli fit` does, in the current folder: metrics, pictures, report and
    checkpoints go to `mlruns/`.

    Args:
        config: A YAML file, or its content as a dict: `{"data": …, "model": …, "trainer": …}`; the
            name of a shipped configuration, such as `digits`; or the path of images, for which
            `{"recipe": "transfer"}` and other overrides may choose how to train.
        overrides: Settings by their dotted names, as on the command line:
            `{"trainer.max_epochs": 3, "model.backbone": "TimmBackbone"}`. They override the
            configuration in their order. `{"ckpt_path": "last"}` resumes the last run.

    Returns:
        The run, with its last metrics and its best checkpoint.

    Raises:
        ValueError: If a setting is unknown or has a wrong value, a file is missing, the data
            cannot be read, or `trainer.logger` is not a `RunLogger`.
        KeyboardInterrupt: If it was interrupted. The run is then in the store as KILLED, and
            `{"ckpt_path": "last"}` resumes it.

    Example:
        >>> run = lightning_app.fit("configs/digits.yaml", {"trainer.max_epochs": 3})
        >>> run
        <Run SmallCNN-a69f (04c80e) in digits: finished, val/accuracy 0.9443>
        >>> run.history("train/loss").plot()
    """
    return _train("fit", as_config(config), *as_arguments(overrides or {}))


def evaluate(run: Run | str | Path, split: Literal["test", "val"] = "test") -> Run:
    """Evaluate the checkpoint of a run on the images of its configuration.

    It does what `lightning_cli test` or `validate` does: the metrics and the predictions of the
    split join the run. `compare` needs them.

    Args:
        run: A run of `fit` or `load`; or what `load` takes.
        split: `test` for the test images, `val` for the validation images.

    Returns:
        The run with the new metrics, such as `test/accuracy`.

    Raises:
        ValueError: If the split is unknown, the run has no checkpoint, or its images cannot be
            read.

    Example:
        >>> run = lightning_app.evaluate(run)
        >>> run.metrics["test/accuracy"]
        0.9861
        >>> run.predictions("test").query("label != predicted")
    """
    check_split(split, [*COMMANDS])
    run = as_run(run)
    checkpoint = f"--ckpt_path={checkpoint_of(run)}"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The dirpath has changed")  # nothing is saved
        return _train(COMMANDS[split], as_config(_in_its_store(run)), checkpoint, cli=_StoredCLI)


def _in_its_store(run: Run) -> dict[str, Any]:
    """The configuration of a run, with the store that it is in now, from any folder."""
    config = run.config()
    loggers = config["trainer"]["logger"]
    for logger in loggers if isinstance(loggers, list) else [loggers]:
        if isinstance(logger, dict) and "root" in logger.get("init_args", {}):
            logger["init_args"]["root"] = str(run.root.resolve())
    return config


class _RaisingParser(CommandParser):
    """Raises what the command line would print before it exits."""

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """See `argparse.ArgumentParser`."""
        text = (message or "").removeprefix("error: ").removeprefix(f"{COMMAND_LINE}: ")
        raise ValueError(text.strip())


class _PythonCLI(ImageClassificationCLI):
    """The training commands for a program that goes on afterwards."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"parser_class": _RaisingParser}))

    def before_fit(self) -> None:
        """Refuse to train without a run to return."""
        _logger_of(self)


class _StoredCLI(_PythonCLI):
    """The training commands for the configuration of a stored run, which may come from anyone."""

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse, if all classes are allowed; what is built is checked for the checkpoint anyway."""
        with only_allowed_classes("The configuration of the run"):
            super().parse_arguments(parser, args)


def _train(*arguments: str, cli: type[ImageClassificationCLI] = _PythonCLI) -> Run:
    """Run a command of the command line, and read the run that it was about."""
    with _restored_interrupts():
        logger = _logger_of(training_commands.run([*arguments], cli))
    client = open_store(logger.root)
    return snapshot(client, client.get_run(logger.run_id or ""), logger.root)


def _logger_of(cli: ImageClassificationCLI) -> RunLogger:
    if (logger := run_logger_of(cli.trainer)) is None:
        raise ValueError(
            "A run is returned, so trainer.logger has to be a RunLogger; expected no other setting "
            "than its experiment_name, run_name, root and tags."
        )
    return logger


@contextmanager
def _restored_interrupts() -> Iterator[None]:
    """Let Ctrl-C, or a notebook's stop button, raise KeyboardInterrupt, the next time as well.

    Lightning ignores further interrupts after the first one and ends the process.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as end:
        if end.code == INTERRUPTED:
            raise KeyboardInterrupt from None
        raise RuntimeError(f"The command ended with exit status {end.code}.") from end
    finally:
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
