"""The command `lightning_cli suspects`: find likely label errors."""

import warnings
from pathlib import Path
from typing import Any, Literal

import torch
from jsonargparse import Namespace

from callbacks.label_suspects import Suspects
from callbacks.pictures.label_suspects import HEADS, draw_suspects
from datamodules import ImageDataModule
from lightning_app.cli.config_parser import (
    import_models,
    link_data_to_model,
    make_config_parser,
    parse_config,
)
from lightning_app.cli.one_line.dataset import with_dataset
from lightning_app.commands.suspects.leave_one_out import check_labels
from lightning_app.commands.suspects.out_of_fold import check_predictions, read_predictions
from lightning_app.commands.suspects.terminal import FIXES, print_suspects
from lightning_app.output.folder import Folder
from models import ImageClassifier

DESCRIPTION = """Rank the labels of a configuration's images, likely errors first. Each label is
compared with the prediction of a linear classifier that was fitted to all other images, on features
of all layers of the backbone. The backbone is used as it is built: with its pretrained weights, and
without training. With --predictions, each label is compared with an out-of-fold prediction."""
SHEET = 20  # images on the contact sheet
Split = Literal["train", "val", "test"]


def suspects(args: list[str]) -> None:
    """Rank all labels, write the files, and print the most suspicious labels.

    Args:
        args: The command line after `suspects`.

    Raises:
        SystemExit: With 2 if the command line does not parse.
        ValueError: If a setting or a split is missing, or predictions do not fit the dataset.
    """
    settings = _parse(args)
    folder = Folder(settings.out)
    found, data = _found(settings)
    ranking = found.ranking(data.class_names, len(found.names))
    folder.write_table("label_suspects", ranking)
    if found.believable:
        folder.write_text(FIXES, found.fixes(data.class_names))
    else:
        folder.remove(FIXES)  # of an earlier call, which would not fit the new table
    title, whose = "Likely label errors", HEADS
    if settings.predictions:
        title, whose = f"{title}, out of fold", f"those of {Path(settings.predictions).name}"
    folder.write_figure("label_suspects", draw_suspects(found, data, SHEET, title, whose))
    print_suspects(found, ranking, settings.out)


def _found(settings: Any) -> tuple[Suspects, ImageDataModule]:
    """The labels by how likely they are wrong, and their dataset."""
    data, model = settings.data, settings.model
    if settings.predictions is not None:
        table, data = read_predictions(settings.predictions, data)
        data.prepare_data()
        return check_predictions(data, table), data
    if data is None or model is None:
        raise ValueError(
            "`suspects` needs a dataset and a network: --config FILE.yaml, as for `fit`; PATH and "
            "--model.backbone …; or the predictions of folds: --predictions RUN."
        )
    data.prepare_data()
    data.setup("fit")
    return check_labels(data, model, settings.splits, settings.corners), data


def _parse(args: list[str]) -> Any:
    import_models()
    parser = make_config_parser("lightning_cli suspects", DESCRIPTION)
    parser.add_lightning_class_args(ImageClassifier, "model", subclass_mode=True, required=False)
    link_data_to_model(parser)
    parser.add_argument("--out", type=Path, default=Path("suspects"), help="Output folder.")
    parser.add_argument(
        "--splits",
        type=list[Split],
        default=["train", "val"],
        help="Splits whose labels are checked by leave one out.",
    )
    parser.add_argument(
        "--corners",
        type=bool,
        default=True,
        help="Also use the corners of each image: five times slower, with fewer false alarms.",
    )
    parser.add_argument(
        "--predictions",
        type=str | None,
        default=None,
        help="Rank by predictions of networks that were not trained on the image: a run of "
        "`folds`, or a CSV file with the columns image and, for each class, 'probability of "
        "CLASS'. It needs no network, and with a run no dataset.",
    )
    torch.manual_seed(0)  # weights that are not pretrained are the same at every call
    settings = parse_config(parser, with_dataset(args))
    if settings.predictions is not None:
        settings.model = None
    _warn_if_random(settings.model)
    return parser.instantiate_classes(settings)


def _warn_if_random(model: Namespace | None) -> None:
    """Warn if the backbone has random weights, whose features are weak evidence."""
    backbone = model.init_args.backbone if model else None
    if backbone and not (backbone.init_args.get("pretrained") or backbone.init_args.get("weights")):
        warnings.warn(
            f"{backbone.class_path.rsplit('.', 1)[-1]} has random weights: neither `pretrained` "
            "nor `weights` is set. A pretrained network finds more label errors.",
            stacklevel=2,
        )
