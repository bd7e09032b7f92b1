"""`lightning_cli prepare`: the list of its commands; only the one that is run is imported."""

import pkgutil
import sys

from lightning_app.cli.errors.user_errors import exit_on_user_error

HELP = """\
Prepare images for training; the originals are not changed.

  lightning_cli prepare check DATA             find broken files, copies, leaks
  lightning_cli prepare split ROOT --out DIR   list class folders in CSV files
      ... --val 0.15 --test_per_class 20       how many images to set aside
  lightning_cli prepare augment DATA --out DIR --per_class 3500
                                               balance classes by augmentation
  lightning_cli prepare shard --config FILE.yaml --out DIR
                                               pack images for a network drive

  lightning_cli prepare split --help           all options of a command
"""
COMMANDS = {
    "augment": "lightning_app.commands.prepare.augment:augment",
    "check": "lightning_app.commands.prepare.check.check:check",
    "shard": "lightning_app.commands.prepare.shard:shard",
    "split": "lightning_app.commands.prepare.split:split",
}


def prepare(args: list[str]) -> None:
    """Run a command.

    Args:
        args: The command line after `prepare`.

    Raises:
        SystemExit: With 1 after an error that the user can fix, 2 if the command line does not
            parse.
    """
    command = args[0] if args else "--help"
    if command in ("-h", "--help"):
        print(HELP)
    elif command in COMMANDS:
        with exit_on_user_error():
            pkgutil.resolve_name(COMMANDS[command])(args[1:])
    else:
        print(f"There is no command 'prepare {command}'.\n\n{HELP}", file=sys.stderr)
        raise SystemExit(2)
