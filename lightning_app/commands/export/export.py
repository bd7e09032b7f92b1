"""The command `lightning_cli export`: a trained network as files that run without this project."""

from pathlib import Path

from jsonargparse import Namespace

from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.commands.export.write_files import FORMATS, Format, InputType, write_files

DESCRIPTION = """\
Write a trained network as files that run without this project: pixels in, probabilities out, with
the normalisation and the temperature inside, and the class names and the origin as metadata. Each
file is compared with the checkpoint before it is kept.
"""
OUT = Path("exported")


def export(args: list[str]) -> None:
    """Write the files, and print what was checked.

    Args:
        args: The command line after `export`.

    Raises:
        SystemExit: With 2 if the command line does not parse.
        ValueError: If there is no such run, or a file differs from its checkpoint.
    """
    options = _parse(args)
    source = Exportable(options.run)
    for each in write_files(source, options.to, options.out, options.input):
        print(f"Written     {each.file}: {each.agreement}")


def _parse(args: list[str]) -> Namespace:
    parser = CommandParser(prog="lightning_cli export", description=DESCRIPTION)
    parser.add_argument(
        "run", type=str, help="A checkpoint file; the name or id of a run; best or last."
    )
    parser.add_argument("--to", type=Format, nargs="+", default=[*FORMATS], help="Formats.")
    parser.add_argument("--out", type=Path, default=OUT, help="Output folder.")
    parser.add_argument(
        "--input",
        type=InputType,
        default="uint8",
        help="Type of the images that the graph takes; either way with values in 0…255.",
    )
    return parser.parse_args(args)
