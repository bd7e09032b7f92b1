"""The command `lightning_cli suspects`: find likely label errors before training."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from jsonargparse import Namespace
from torch import Tensor
from tqdm import tqdm

from callbacks.label_suspects import Suspects, copy_groups, find_suspects
from callbacks.pictures.label_suspects import draw_suspects
from callbacks.plots.drawing.texts import shorten
from datamodules import ImageDataModule
from lightning_app.cli.config_parser import (
    import_models,
    link_data_to_model,
    make_config_parser,
    parse_config,
)
from lightning_app.output.console import Column, print_table
from lightning_app.output.folder import Folder
from models import Backbone, ImageClassifier
from models.device import device_named
from models.evaluation.label_errors import (
    gather_features,
    leave_one_out_probabilities,
)
from models.features import weights_digest

DESCRIPTION = """Rank the labels of a configuration's images, likely errors first. Each label is
compared with the prediction of a linear classifier that was fitted to all other images, on features
of all layers of the backbone. The backbone is used as it is built: with its pretrained weights, and
without training."""
SHOWN, SHEET = 10, 20  # labels that are printed, and images on the contact sheet
MAX_NAME, MAX_CLASS = 50, 18  # letters in the printed table
SHEET_FILE, TABLE, FIXES = "label_suspects.png", "label_suspects.csv", "label_fixes.csv"
Split = Literal["train", "val", "test"]


def suspects(args: list[str]) -> None:
    """Rank all labels, write the files, and print the most suspicious labels.

    Args:
        args: The command line after `suspects`.

    Raises:
        SystemExit: With 2 if the command line does not parse.
        ValueError: If a setting or a split is missing.
    """
    settings = _parse(args)
    data, model = settings.data, settings.model
    if data is None or model is None:
        raise ValueError(
            "`suspects` needs a dataset and a network: --config FILE.yaml, as for `fit`."
        )
    folder = Folder(settings.out)
    data.prepare_data()
    data.setup("fit")
    found = check_labels(data, model, settings.splits, settings.corners)
    ranking = found.ranking(data.class_names, len(found.names))
    folder.write_table("label_suspects", ranking)
    if found.believable:
        folder.write_text(FIXES, found.fixes(data.class_names))
    else:
        folder.remove(FIXES)  # of an earlier call, which would not fit the new table
    folder.write_figure("label_suspects", draw_suspects(found, data, SHEET, "Likely label errors"))
    _print_suspects(found, ranking, settings.out)


def check_labels(
    data: ImageDataModule, model: ImageClassifier, splits: Sequence[str], corners: bool
) -> Suspects:
    """Compare each label with the prediction of a classifier that was not fitted to its image.

    Args:
        data: The dataset.
        model: The network, of which only the backbone is used.
        splits: Splits whose labels are checked.
        corners: See `gather_features`.

    Raises:
        ValueError: If the dataset does not have a split.
    """
    if missing := [split for split in splits if split not in data.sources]:
        raise ValueError(
            f"The dataset has no {missing[0]} images; its splits are {', '.join(data.sources)}."
        )
    device = torch.device(device_named())
    backbone = model.backbone.to(device).eval()
    features, labels, places = [], [], {}
    for split in splits:
        found = _features(data, split, backbone, corners)
        given = torch.from_numpy(data.sources[split].labels)
        places[split] = ((given >= 0) & found.isfinite().all(dim=1)).nonzero().flatten()
        features.append(found[places[split]])
        labels.append(given[places[split]])
    copies = copy_groups(data.sources, places)
    probabilities = leave_one_out_probabilities(
        torch.cat(features), torch.cat(labels), data.num_classes, copies
    )
    return find_suspects(data.sources, places, torch.cat(labels), probabilities)


def _features(data: ImageDataModule, split: str, backbone: Backbone, corners: bool) -> Tensor:
    """Pooled features of all images of a split, (N, D); NaN for an unreadable image."""
    size = len(data.sources[split])

    def compute(batches: Iterator[Sequence[Tensor]]) -> Tensor:
        bar = tqdm(batches, split, -(-size // data.batch_size), delay=2, leave=False)
        return gather_features(backbone, bar, corners).by_index(size)

    return data.derived(split, f"pooled, corners {corners}, {weights_digest(backbone)}", compute)


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
        help="Splits whose labels are checked.",
    )
    parser.add_argument(
        "--corners",
        type=bool,
        default=True,
        help="Also use the corners of each image: five times slower, with fewer false alarms.",
    )
    torch.manual_seed(0)  # weights that are not pretrained are the same at every call
    settings = parse_config(parser, args)
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


def _print_suspects(found: Suspects, ranking: dict[str, list[Any]], out: Path) -> None:
    number = int(found.errors.likely.sum())
    star = f" (* is one of the {number:,})" if number else ""
    columns = (Column(""), Column("image"), Column("label"), Column("suggested"))
    print_table(
        [*columns, Column("probability", "right")],
        [
            (
                "*" * ranking["confident"][row],
                shorten(ranking["image"][row], MAX_NAME),
                shorten(ranking["label"][row], MAX_CLASS),
                shorten(ranking["suggested"][row], MAX_CLASS),
                f"{ranking['suggested_probability'][row]:.0%}",
            )
            for row in range(min(SHOWN, len(ranking["image"])))
        ],
        f"{number:,} of {len(found.names):,} labels are likely errors. The most suspicious{star}:",
    )
    sheet, table, fixes = (out / name for name in (SHEET_FILE, TABLE, FIXES))
    print(f"The contact sheet is {sheet}; {table} ranks all labels.")
    if found.believable:
        print(
            f"Delete the rows of {fixes} whose labels are correct, then train with\n"
            f"  --data.options.label_fixes {fixes}"
        )
    else:
        print(f"No {fixes}: {found.doubt}.")
