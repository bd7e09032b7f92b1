"""`lightning_cli suspects`: which labels are probably wrong, before anything is trained on them."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from jsonargparse import Namespace
from tqdm import tqdm

from callbacks.pictures.label_suspects import draw_suspects
from callbacks.suspects import Suspects, copy_groups, find_suspects
from datamodules import ImageDataModule
from lightning_app.cli.config_parser import (
    import_models,
    link_data_to_model,
    make_config_parser,
    parse_config,
)
from lightning_app.output.folder import Folder
from models import ImageClassifier
from models.evaluation.label_errors import (
    PooledFeatures,
    gather_features,
    leave_one_out_probabilities,
)

DESCRIPTION = """Rank the labels of a configuration's images, the most suspicious first. Each
is judged by a linear head that was fitted to all other images, on what all layers of the backbone
say of them, as it is built: with its pretrained weights, and without any training."""
SHOWN, SHEET = 10, 20  # labels on the console, and pictures in the sheet
FILES = ("suspects.png", "suspects.csv", "fixes.csv")
Split = Literal["train", "val", "test"]


def suspects(args: list[str]) -> None:
    """Judge all labels, and write what was found.

    Args:
        args: The command line after `suspects`.

    Raises:
        SystemExit: With 2 if the command line does not parse.
        ValueError: If a setting or an image is missing.
    """
    settings = _parse(args)
    data, model = settings.data, settings.model
    if data is None or model is None:
        raise ValueError("`suspects` needs data and a network: --config FILE.yaml, as `fit` has.")
    folder = Folder(settings.out)
    data.prepare_data()
    data.setup("fit")
    found = judge(data, model, settings.splits, settings.corners)
    ranking = found.ranking(data.class_names, len(found.names))
    folder.write_table("label_suspects", ranking)
    if found.believable:
        folder.write_text("label_fixes.csv", found.fixes(data.class_names))
    folder.write_figure("label_suspects", draw_suspects(found, data, SHEET, "labels to look at"))
    _print(found, ranking, settings.out)


def judge(
    data: ImageDataModule, model: ImageClassifier, splits: Sequence[str], corners: bool
) -> Suspects:
    """What heads that have not seen an image say of its label.

    Args:
        data: Whose labels to judge.
        model: Whose backbone looks at the images.
        splits: Which images.
        corners: See `gather_features`.

    Raises:
        ValueError: If there is no such split.
    """
    if missing := [split for split in splits if split not in data.sources]:
        raise ValueError(
            f"The data have no {missing[0]} images; they have {', '.join(data.sources)}."
        )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    backbone = model.backbone.to(device).eval()
    parts: dict[str, PooledFeatures] = {}
    for split in splits:
        labelled = (data.sources[split].labels >= 0).nonzero()[0].tolist()
        batches = -(-len(labelled) // data.batch_size)
        bar = tqdm(data.plain_batches(split, labelled), split, batches, delay=2, leave=False)
        parts[split] = gather_features(backbone, bar, corners)
    features, labels = (torch.cat([part[k] for part in parts.values()]) for k in (0, 1))
    places = {split: part.indices for split, part in parts.items()}
    copies = copy_groups(data.sources, places)
    said = leave_one_out_probabilities(features, labels, data.num_classes, copies)
    return find_suspects(data.sources, places, labels, said)


def _parse(args: list[str]) -> Any:
    import_models()
    parser = make_config_parser("lightning_cli suspects", DESCRIPTION)
    parser.add_lightning_class_args(ImageClassifier, "model", subclass_mode=True, required=False)
    link_data_to_model(parser)
    parser.add_argument("--out", type=Path, default=Path("suspects"), help="Folder to write to.")
    parser.add_argument(
        "--splits", type=list[Split], default=["train", "val"], help="Which images are judged."
    )
    parser.add_argument(
        "--corners",
        type=bool,
        default=True,
        help="Look at the corners of each image too: five times the work, and fewer false alarms.",
    )
    torch.manual_seed(0)  # what is not pretrained is the same at every call
    settings = parse_config(parser, args)
    _warn_of_chance(settings.model)
    return parser.instantiate_classes(settings)


def _warn_of_chance(model: Namespace | None) -> None:
    """Say so if the features that labels are judged by are those of weights drawn by chance."""
    backbone = model.init_args.backbone if model else None
    if backbone and not (backbone.init_args.get("pretrained") or backbone.init_args.get("weights")):
        warnings.warn(
            f"{backbone.class_path.rsplit('.', 1)[-1]} is judging without any training: it has "
            "neither `pretrained` nor `weights`. A pretrained network finds more wrong labels.",
            stacklevel=2,
        )


def _print(found: Suspects, ranking: dict[str, list[Any]], out: Path) -> None:
    number = int(found.errors.likely.sum())
    star = f" (* is one of the {number:,})" if number else ""
    print(f"{number:,} of {len(found.names):,} labels look wrong. The most suspicious{star}:")
    for row in range(min(SHOWN, len(ranking["image"]))):
        label, other = ranking["label"][row], ranking["suggested"][row]
        sure = ranking["suggested_probability"][row]
        mark = "*" if ranking["confident"][row] else " "
        print(f"{mark} {ranking['image'][row]}: {label}, rather {other} ({sure:.0%})")
    sheet, table, fixes = (out / f"label_{name}" for name in FILES)
    print(f"Look at {sheet}; {table} ranks all of them.")
    if found.believable:
        print(
            f"Delete what is right from {fixes}, and train with\n"
            f"  --data.options.label_fixes {fixes}"
        )
    else:
        print(f"No {fixes}: {found.doubt}.")
