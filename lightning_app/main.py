"""List of the commands of `lightning_cli`, and its help; only the chosen command is imported."""

import atexit
import gc
import pkgutil
import sys
from collections.abc import Callable
from typing import Any

import lightning_app

HELP = """\
Train image classifiers and see what they learned.   lightning_cli COMMAND ...

Train
  fit PATH [--recipe transfer]     train on a folder of images, or a CSV file
  fit --config FILE.yaml           train what a configuration says
      ... --ckpt_path last         resume the last run where it stopped
  validate, test                   evaluate a network, of --ckpt_path best
  predict --ckpt_path RUN a.jpg    classify images
  ablate, folds, soup              vary settings; cross-validate; average nets
Look
  explain --ckpt_path RUN --images a.jpg   draw what a network sees in images
  compare RUN RUN [RUN ...]        show what changed, image by image
  report RUN [--language zh]       write a self-contained HTML report of a run
Data
  prepare check, split, augment, shard     check and arrange images for training
  suspects, suggest, probe         label errors; what to label; pretrained nets
Ship
  serve, export, promote, card     try in a browser; write ONNX; register
Runs
  runs, sync, score                list runs; send what waits; record a score
  ui [--port 5000]                 open the runs in a browser (MLflow)

Every setting is an option: fit --help.  All with values: fit ... --print_config
"""
TRAINING = ("fit", "validate", "test", "predict")  # commands of LightningCLI
COMMANDS = {
    "ablate": "lightning_app.commands.ablate.ablate:ablate",
    "card": "lightning_app.commands.card:card",
    "compare": "lightning_app.commands.compare.compare:compare",
    "explain": "lightning_app.commands.explain.explain:explain",
    "export": "lightning_app.commands.export.export:export",
    "folds": "lightning_app.commands.folds.folds:folds",
    "prepare": "lightning_app.commands.prepare.prepare:prepare",
    "probe": "lightning_app.commands.probe.probe:probe",
    "promote": "lightning_app.commands.promote.promote:promote",
    "report": "lightning_app.commands.report.report:report",
    "runs": "lightning_app.commands.runs.runs:runs",
    "score": "lightning_app.commands.score:score",
    "serve": "lightning_app.commands.serve.serve:serve",
    "soup": "lightning_app.commands.soup.soup:soup",
    "suggest": "lightning_app.commands.suggest:suggest",
    "suspects": "lightning_app.commands.suspects.suspects:suspects",
    "sync": "lightning_app.commands.sync:sync",
    "ui": "lightning_app.commands.ui:open_ui",
}
PREDICT_IMAGES = "lightning_app.commands.explain.predict:predict"
OF_DATASET = ("-c", "--config", "--data")  # with these, `predict` reads a dataset
INTERRUPTED = 130  # exit status after Ctrl-C, as in a shell


def main(args: list[str] | None = None) -> None:
    """Run a command.

    Args:
        args: The command and its options; None for those of `sys.argv`.

    Raises:
        SystemExit: With 1 after an error that the user can correct, with 2 if the command line
            does not parse, with 130 after Ctrl-C.
    """
    arguments = sys.argv[1:] if args is None else args
    command, *options = arguments or ["--help"]
    if command in ("-h", "--help"):
        print(HELP)
    elif command == "--version":
        print(f"lightning_cli {lightning_app.__version__}")
    elif command == "predict" and not any(_is_of_dataset(option) for option in options):
        _run(PREDICT_IMAGES, options)
    elif command in TRAINING:
        _run("lightning_app.cli.training_commands:run", arguments)
    elif command in COMMANDS:
        _run(COMMANDS[command], options)
    else:
        print(f"There is no command {command!r}.\n\n{HELP}", file=sys.stderr)
        raise SystemExit(2)


def _is_of_dataset(option: str) -> bool:
    name = option.partition("=")[0]
    return name in OF_DATASET or name.startswith(("--data.", "--predictions."))


def _run(name: str, args: list[str]) -> None:
    # slower than the help
    from datamodules.redaction import redact_arguments
    from datamodules.sources import quiet_decoders
    from lightning_app.cli.child_runs.parent_process import stop_with_parent
    from lightning_app.cli.errors.user_errors import (
        exit_on_user_error,
        print_redacted,
        shorten_warnings,
    )
    from lightning_app.cli.several_checkpoints import with_one_checkpoint

    stop_with_parent()
    sys.excepthook = print_redacted
    quiet_decoders.enable()
    redact_arguments(args)  # so that their secrets are known, whatever message repeats them
    with exit_on_user_error():
        try:
            function = _import(name)
            shorten_warnings()  # again, as importing Lightning has changed them
            function(with_one_checkpoint(args))
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            raise SystemExit(INTERRUPTED) from None


def _import(name: str) -> Callable[[list[str]], Any]:
    # Imports leave little garbage, and the search for it takes a quarter of their time; later
    # searches leave out what was imported.
    gc.disable()
    try:
        return pkgutil.resolve_name(name)
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # or torch's compiler reports leaks when Python exits
        gc.enable()
