"""`lightning_cli`: one screen of help, then the command; torch is imported only where needed."""

import pkgutil
import sys

HELP = """\
Train image classifiers and see what they learned.

  lightning_cli fit --config FILE.yaml         train; the run appears in MLflow
      ... --ckpt_path last                     go on where the last run stopped
  lightning_cli test --config FILE.yaml --ckpt_path best
                                               test the last run's best network
  lightning_cli validate, predict              as test, on other images
  lightning_cli prepare split, augment, check, shard   before training
  lightning_cli explain --ckpt_path RUN --images a.jpg   pictures of a network
  lightning_cli ablate FILE.yaml               what each setting is worth
  lightning_cli suspects --config FILE.yaml    labels that are probably wrong
  lightning_cli ui [--port 5000]               open the runs in a browser
  lightning_cli report RUN [--language zh]     a page about a run, to be sent
  lightning_cli compare RUN RUN [RUN ...]      what changed, image by image

Any setting can be overridden:
  --trainer.max_epochs 3 --data.batch_size 16 --pictures.grad_cam false
  --model.backbone TimmBackbone --model.backbone.name resnet18

  lightning_cli fit --help                     every option
  lightning_cli fit --config FILE.yaml --print_config
                                               every setting, with its value
"""
TRAINING = ("fit", "validate", "test", "predict")
INTERRUPTED = 130  # exit status, as of a shell
COMMANDS = {
    "ablate": "lightning_app.commands.ablate.ablate:ablate",
    "compare": "lightning_app.commands.compare.compare:compare",
    "explain": "lightning_app.commands.explain.explain:explain",
    "report": "lightning_app.commands.report.report:report",
    "suspects": "lightning_app.commands.suspects:suspects",
}


def main(args: list[str] | None = None) -> None:
    """Run a command; `args` replaces `sys.argv` in tests.

    Raises:
        SystemExit: With 1 after a mistake that the user can mend, 2 after a command line that
            does not parse.
    """
    arguments = sys.argv[1:] if args is None else args
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help"):
        print(HELP)
    elif command == "ui":
        from lightning_app.commands.ui import open_ui

        open_ui(arguments[1:])
    elif command == "prepare":
        from lightning_app.commands.prepare.prepare import prepare

        prepare(arguments[1:])
    elif command in COMMANDS:
        _run(COMMANDS[command], arguments[1:])
    elif command in TRAINING:
        _train(args)
    else:
        print(f"There is no command {command!r}.\n\n{HELP}", file=sys.stderr)
        raise SystemExit(2)


def _train(args: list[str] | None) -> None:
    from lightning_app.cli.errors.user_errors import explained
    from lightning_app.cli.training import run

    with explained():
        run(args)


def _run(command: str, args: list[str]) -> None:
    from lightning_app.cli.errors.user_errors import explained

    with explained():
        try:
            pkgutil.resolve_name(command)(args)
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            raise SystemExit(INTERRUPTED) from None
