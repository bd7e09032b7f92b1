"""The command `lightning_cli export`: a trained network as files that run without this project."""

from pathlib import Path

from jsonargparse import Namespace

from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.networks.ensembles import ensemble_of
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.networks.write_files import FORMATS, Graph, InputType
from lightning_app.commands.export.benchmark import print_benchmark
from lightning_app.commands.export.run_export import MOST, Kind, Results, run_export
from lightning_app.commands.export.write_int8 import in_words
from models.export.shipped_code import INPUT_FILE

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
    if options.max_images < 1:
        raise ValueError(f"--max_images is {options.max_images}; expected 1 or more.")
    several = len(options.run) > 1
    source = Exportable(str(ensemble_of(options.run)) if several else options.run[0])
    temperature, origin = source.temperature
    print(f"Network     {source.title}, {len(source.source.class_names)} classes")
    print(f"Temperature {temperature:.3f}, {origin}")
    done = run_export(
        source,
        options.to,
        options.out,
        Graph(options.input, options.any_size),
        options.int8,
        options.benchmark,
        options.max_images,
    )
    _print(done)


def _print(done: Results) -> None:
    for each in done.files:
        parts = each.file.rglob("*") if each.file.is_dir() else [each.file]
        size = sum(part.stat().st_size for part in parts)
        print(f"Written     {each.file} ({size / 1e6:.1f} MB)")
        if each.kind != "int8":
            print(f"            {each.agreement}")
    if any(each.kind != "safetensors" for each in done.files):
        print(f"Images      are read with {done.files[0].file.parent / INPUT_FILE}")
    if done.int8 is not None:
        print(f"int8        accuracy {in_words(done.int8)}, against float32")
    if done.benchmark is not None:
        print_benchmark(done.benchmark)
        if done.logged:
            print("Logged      figures/export.png and tables/export.json of the run")


def _parse(args: list[str]) -> Namespace:
    parser = CommandParser(prog="lightning_cli export", description=DESCRIPTION)
    parser.add_argument(
        "run",
        type=str,
        nargs="+",
        help="A checkpoint file; a run; best, last, or models:/NAME@ALIAS. Several: their "
        "ensemble.",
    )
    parser.add_argument("--to", type=Kind, nargs="+", default=[*FORMATS], help="Formats.")
    parser.add_argument("--out", type=Path, default=OUT, help="Output folder.")
    parser.add_argument(
        "--input",
        type=InputType,
        default="uint8",
        help="Type of the images that the graph takes; either way with values in 0…255.",
    )
    parser.add_argument(
        "--any_size",
        action="store_true",
        help="Let the graph take images of other sizes, too, if the network allows it; for some "
        "networks this takes minutes or hours.",
    )
    parser.add_argument(
        "--int8",
        action="store_true",
        help="Also write an ONNX file in 8 bits, calibrated on training images.",
    )
    parser.add_argument(
        "--benchmark",
        action="store_true",
        help="Measure size, speed and accuracy of the files; the table joins the run.",
    )
    parser.add_argument(
        "--max_images",
        type=int,
        default=MOST,
        help="Images on which accuracies are measured, at most.",
    )
    return parser.parse_args(args)
