"""Measurements that need a GPU, one subcommand each.

uv run python benchmarks/gpu.py systems --help
"""

import argparse
from collections.abc import Sequence

import gpu_systems

COMMANDS = {"systems": gpu_systems}


def main(args: Sequence[str] | None = None) -> int:
    """Run a subcommand, and return its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        about, _, details = (module.__doc__ or "").partition("\n\n")
        form = argparse.RawDescriptionHelpFormatter
        command = commands.add_parser(
            name, help=about, description=f"{about}\n\n{details}", formatter_class=form
        )
        module.add_options(command)
    options = parser.parse_args(args)
    return COMMANDS[options.command].run(options)


if __name__ == "__main__":
    raise SystemExit(main())
