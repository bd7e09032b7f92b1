"""Command-line options of `lightning_cli explain`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jsonargparse import Namespace

from lightning_app.cli.device import Device
from lightning_app.cli.errors.possible_names import suggest_names
from lightning_app.cli.settings_parser import SettingsParser

if TYPE_CHECKING:
    from callbacks.pictures import Picture

DESCRIPTION = """\
Draw pictures of a trained network on images of your choice: where the network looks, what its
layers detect, and their activations. The pictures are written to a folder, with a table of the
predictions.
"""
SETTINGS = """\
Each picture has settings, such as --pictures.saliency.num_images 12; --pictures.saliency.help lists
them, and --pictures.saliency false leaves the picture out.
"""
# Names of `drawable` for the help, which comes at once: the pictures themselves import torch.
DRAWABLE = (
    "honesty",
    "grad_cam",
    "saliency",
    "filters",
    "feature_maps",
    "activation_maximisation",
    "shortcuts",
    "concepts",
)
HELP = {"-h", "--help"}
OUT = Path("explanations")
Library = Literal["timm", "torchvision"]


def drawable() -> "dict[str, type[Picture]]":
    """Pictures that need neither labels nor a training run."""
    from callbacks.pictures import PICTURES

    return {name: picture for name, picture in PICTURES.items() if not picture.needs_labels}


def parse(args: list[str]) -> Namespace:
    """Parse the command line and build the pictures.

    Raises:
        SystemExit: With 2 if it does not parse.
        ValueError: If options are missing or exclude each other, or there is no such picture.
    """
    parser = SettingsParser(prog="lightning_cli explain", description=DESCRIPTION, epilog=SETTINGS)
    _add_network(parser)
    parser.add_argument(
        "--images", type=Path, nargs="+", default=[], help="Image files, and folders of images."
    )
    parser.add_argument(
        "--methods",
        type=str,
        nargs="+",
        default=[],
        help=f"Pictures to draw (default: all): {', '.join(DRAWABLE)}.",
    )
    parser.add_argument(
        "--concepts", action="store_true", help="Draw concepts, as with `--methods concepts`."
    )
    parser.add_argument("--out", type=Path, default=OUT, help="Output folder.")
    parser.add_argument(
        "--each",
        action="store_true",
        help="Also write each heat map of `grad_cam` over its image, at the size of the image; the "
        "other methods have contact sheets alone.",
    )
    parser.add_argument(
        "--log", action="store_true", help="Also log the files to the run of the checkpoint."
    )
    parser.add_argument(
        "--on_error",
        type=Literal["raise", "skip"],
        default="raise",
        help="Whether broken images end the command, or are left out with a warning.",
    )
    parser.add_argument("--device", type=Device, default="auto", help="Device of the network.")
    if not HELP & set(args):
        _add_pictures(parser)
    options = parser.instantiate_classes(parser.parse_args(args))
    if options.concepts:
        options.methods = list(dict.fromkeys([*options.methods, "concepts"]))
    _check(options)
    return options


def chosen_pictures(options: Namespace) -> "dict[str, Picture]":
    """The pictures to draw, by name: those of `--methods`, or all that are not switched off."""
    settings = options.pictures.as_dict()
    names = options.methods or list(settings)
    return {
        name: drawable()[name]() if settings[name] is True else settings[name]
        for name in names
        if settings[name]
    }


def _add_pictures(parser: SettingsParser) -> None:
    for name, picture in drawable().items():
        text = (picture.__doc__ or "").splitlines()[0]
        parser.add_argument(f"--pictures.{name}", type=picture | bool, default=picture(), help=text)


def _add_network(parser: SettingsParser) -> None:
    parser.add_argument(
        "--ckpt_path",
        type=str | None,
        default=None,
        help="A checkpoint file; the name or id of a run, for its best checkpoint; best, last, or "
        "models:/NAME@ALIAS. Several are an ensemble.",
    )
    parser.add_argument(
        "--network",
        type=str | None,
        default=None,
        help="Name of a library's network, instead of a checkpoint.",
    )
    parser.add_argument("--library", type=Library, default="timm", help="Library of the network.")
    parser.add_argument("--weights", type=Path | None, default=None, help="File of weights.")
    parser.add_argument(
        "--pretrained", action="store_true", help="Download the library's weights instead."
    )
    parser.add_argument(
        "--allow",
        type=str,
        nargs="+",
        default=[],
        help="Patterns of names of tensors that may differ between file and network: 'fc.*'.",
    )
    parser.add_argument(
        "--class_names",
        type=Path | None,
        default=None,
        help="File with one class name per line, to replace the names that are known.",
    )
    parser.add_argument(
        "--image_size",
        type=int | None,
        default=None,
        help="Side of the images in pixels, if not the size that the network was trained with.",
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
        raise ValueError("A checkpoint has weights: --weights and --pretrained are for --network.")
    if not options.images:
        raise ValueError("`lightning_cli explain` needs images: --images a.jpg b.png DIR.")
    if options.image_size is not None and options.image_size < 1:
        raise ValueError(f"--image_size is {options.image_size}; expected 1 or more.")
    if options.log and options.network is not None:
        raise ValueError("--log needs the run of a checkpoint (--ckpt_path); --network has none.")
    _check_methods(options.methods)
    if off := [name for name in options.methods if options.pictures.as_dict()[name] is False]:
        raise ValueError(f"--methods {off[0]} and --pictures.{off[0]} false exclude each other.")


def _check_methods(methods: Sequence[str]) -> None:
    from lightning_app.cli.picture_options import picture_types

    for method in methods:
        if method in drawable():
            continue
        if method in picture_types():
            raise ValueError(
                f"The picture {method!r} needs a run: `lightning_cli fit` draws it."
                f"{suggest_names('', drawable())}"
            )
        raise ValueError(f"There is no picture {method!r}.{suggest_names(method, drawable())}")
