"""The command `lightning_cli predict` for images of the user, without configuration or dataset."""

from pathlib import Path
from typing import Literal

from jsonargparse import Namespace

from lightning_app.cli.device import Device
from lightning_app.cli.settings_parser import SettingsParser

DESCRIPTION = """\
Classify images with a trained network. Its checkpoint knows the classes, the image size and the
normalisation. A few images are printed as a table; of many, the table is a CSV file.
"""
EPILOG = """\
With --config FILE.yaml, --data.predict DIR or another setting of the data, the images of a dataset
are predicted as its datamodule reads them, and the table joins the run.
"""
OUT = Path("predictions")


def predict(args: list[str]) -> None:
    """Classify images, and print or write the predictions.

    Args:
        args: The command line after `predict`.

    Raises:
        ValueError: If the checkpoint or an image is missing, or an image is broken.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parse(args)
    # Takes seconds to import; the help does not need it.
    from lightning_app.commands.explain.predict_images import predict_images

    predict_images(options)


def _parse(args: list[str]) -> Namespace:
    parser = SettingsParser(prog="lightning_cli predict", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument(
        "images", type=Path, nargs="*", help="Image files, and folders of images.", default=[]
    )
    parser.add_argument(
        "--ckpt_path",
        type=str | None,
        default=None,
        help="A checkpoint file; the name or id of a run, for its best checkpoint; best, last, or "
        "models:/NAME@ALIAS. Several are an ensemble.",
    )
    parser.add_argument(
        "--out",
        type=Path | None,
        default=None,
        help=f"Output folder, {OUT} by default; a few images are only printed without it.",
    )
    parser.add_argument(
        "--each",
        action="store_true",
        help="Also write where the network looks, as an overlay at the size of each image.",
    )
    parser.add_argument(
        "--on_error",
        type=Literal["raise", "skip"],
        default="raise",
        help="Whether broken images end the command, or are left out with a warning.",
    )
    parser.add_argument("--device", type=Device, default="auto", help="Device of the network.")
    options = parser.parse_args(args)
    if options.ckpt_path is None:
        from lightning_app.cli.one_line.recorded_config import needs_checkpoint  # imports MLflow

        raise needs_checkpoint("predict")
    if not options.images:
        raise ValueError(
            "`lightning_cli predict` needs images: --ckpt_path RUN a.jpg DIR, or those of a "
            "dataset, with --config FILE.yaml or --data.predict DIR."
        )
    return options
