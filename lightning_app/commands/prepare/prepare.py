"""`lightning_cli prepare`: what is done before training; imports only what is asked for."""

import pkgutil
import sys

from lightning_app.cli.errors.user_errors import exit_on_user_error

HELP = """\
Prepare images for training; the originals are left as they are.

  lightning_cli prepare check DATA             broken files, copies, leaks
  lightning_cli prepare split ROOT --out DIR   from class folders to CSV files
      ... --val 0.15 --test-per-class 20       how many are set aside
  lightning_cli prepare augment DATA --out DIR --per-class 3500
                                               as many images of each class
  lightning_cli prepare shard --config FILE.yaml --out DIR
                                               for images on a network drive

  lightning_cli prepare split --help           every option of a command
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
        SystemExit: With 1 after a mistake that the user can mend, 2 after a command line that
            does not parse.
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
