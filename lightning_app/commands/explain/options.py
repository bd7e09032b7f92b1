"""The command line of `explain`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from jsonargparse import Namespace

from callbacks.pictures import PICTURES, Picture
from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.errors.possible_names import suggest_names
from lightning_app.cli.picture_options import picture_types
from lightning_app.commands.explain.library import Library

DESCRIPTION = """\
Draw pictures for a trained network on images that you name: where it looks, what its layers look
for and answer. They go into a folder, with a table of what the network says of each image.
"""
OUT = Path("explanations")
Device = Literal["auto", "cpu", "cuda"]


def drawable() -> dict[str, type[Picture]]:
    """The pictures of a network on images without labels; others are about the run of a fit."""
    return {name: picture for name, picture in PICTURES.items() if not picture.needs_labels}


def parse(args: list[str]) -> Namespace:
    """Read the command line; `pictures` are built.

    Raises:
        SystemExit: With 2 if it does not parse.
        ValueError: If options are missing or exclude each other, or there is no such picture.
    """
    parser = CommandParser(prog="lightning_cli explain", description=DESCRIPTION)
    _add_network(parser)
    parser.add_argument(
        "--images", type=Path, nargs="+", default=[], help="Image files, and folders with some."
    )
    parser.add_argument(
        "--methods",
        type=str,
        nargs="+",
        default=[],
        help=f"Pictures to draw: {', '.join(drawable())}. All that can be drawn if not given.",
    )
    parser.add_argument("--out", type=Path, default=OUT, help="Folder that the files go to.")
    parser.add_argument(
        "--each", action="store_true", help="Each map over its image too, at the image's own size."
    )
    parser.add_argument(
        "--log", action="store_true", help="Put the files into the run of the checkpoint too."
    )
    parser.add_argument("--device", type=Device, default="auto", help="Where the network runs.")
    for name, picture in drawable().items():
        text = (picture.__doc__ or "").splitlines()[0]
        parser.add_argument(f"--pictures.{name}", type=picture | bool, default=picture(), help=text)
    options = parser.instantiate_classes(parser.parse_args(args))
    _check(options)
    return options


def chosen_pictures(options: Namespace) -> dict[str, Picture]:
    """What is to be drawn, by name: what `methods` lists, or all that is not switched off."""
    settings = options.pictures.as_dict()
    names = options.methods or list(settings)
    return {
        name: drawable()[name]() if settings[name] is True else settings[name]
        for name in names
        if settings[name]
    }


def _add_network(parser: CommandParser) -> None:
    parser.add_argument(
        "--ckpt_path",
        type=str | None,
        default=None,
        help="A checkpoint; the id or name of a run, for its best; best or last for the newest.",
    )
    parser.add_argument(
        "--network", type=str | None, default=None, help="Instead, a network of a library by name."
    )
    parser.add_argument("--library", type=Library, default="timm", help="Which library.")
    parser.add_argument("--weights", type=Path | None, default=None, help="File of its weights.")
    parser.add_argument(
        "--pretrained", action="store_true", help="Instead, download the library's weights."
    )
    parser.add_argument(
        "--allow",
        type=str,
        nargs="+",
        default=[],
        help="Patterns of names of tensors in which weights and network may differ: 'fc.*'.",
    )
    parser.add_argument(
        "--class_names",
        type=Path | None,
        default=None,
        help="A file with the name of a class in each line, if those that are known are not right.",
    )
    parser.add_argument(
        "--image_size",
        type=int | None,
        default=None,
        help="Side of the images in pixels, if another than the network was trained with.",
    )


def _check(options: Namespace) -> None:
    if (options.ckpt_path is None) == (options.network is None):
        raise ValueError(
            "`lightning_cli explain` needs a trained network: --ckpt_path FILE_OR_RUN, or "
            "--network NAME with --weights FILE or --pretrained."
        )
    if options.network is not None and (options.weights is None) != options.pretrained:
        raise ValueError(
            f"--network {options.network} needs weights: either --weights FILE or --pretrained."
        )
    if options.network is None and (options.weights is not None or options.pretrained):
        raise ValueError("A checkpoint has weights: --weights and --pretrained go with --network.")
    if not options.images:
        raise ValueError("`lightning_cli explain` needs images: --images a.jpg b.png DIR.")
    if options.image_size is not None and options.image_size < 1:
        raise ValueError(f"--image_size is {options.image_size}; expected 1 or more.")
    if options.log and options.network is not None:
        raise ValueError("--log needs a run: that of a checkpoint (--ckpt_path), not --network.")
    _check_methods(options.methods)
    if off := [name for name in options.methods if options.pictures.as_dict()[name] is False]:
        raise ValueError(f"--methods {off[0]} and --pictures.{off[0]} false exclude each other.")


def _check_methods(methods: Sequence[str]) -> None:
    for method in methods:
        if method in drawable():
            continue
        if method in picture_types():
            raise ValueError(
                f"The picture {method!r} is one of a run: it is drawn by `lightning_cli fit`."
                f"{suggest_names('', drawable())}"
            )
        raise ValueError(f"There is no picture {method!r}.{suggest_names(method, drawable())}")
