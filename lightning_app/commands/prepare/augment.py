"""`lightning_cli prepare augment`: balance the classes with augmented copies, written as files."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from datamodules.augmentation.load import load_augmentation
from datamodules.sources.source import ImageSource
from datamodules.splits.settings import SplitSettings
from lightning_app.commands.prepare.class_counts import ClassCounts
from lightning_app.commands.prepare.copies import Copy, in_both_splits, leaked, plan_copies
from lightning_app.commands.prepare.originals import Originals, from_folders, from_manifest
from lightning_app.commands.prepare.settings import keep_to_settings
from lightning_app.commands.prepare.split_sizes import add_amounts, positive, to_split
from lightning_app.commands.prepare.tables import write_table
from lightning_app.commands.prepare.write_copies import Writing, target, write_copies

DESCRIPTION = """\
Write the same number of images for each class: the originals and augmented copies of them. The
originals are split first, so that all copies of one are in the same split; test images are copied
unchanged. An interrupted run resumes where it stopped. In the manifest, the column `group` names
the original of each copy. class_counts.png and .csv show the classes before and after.
"""
NONE = np.empty(0, np.int64)
COLUMNS = ("image", "label", "split", "group")


def augment(args: list[str]) -> None:
    """Write the images and their manifest.

    Args:
        args: The command line after `prepare augment`.

    Raises:
        ValueError: If originals are missing or cannot be read, or the folder holds images that were
            made with other settings.
        SystemExit: With 2 if the command line does not parse, 130 after Ctrl-C.
    """
    options = _parser().parse_args(args)
    is_manifest = options.data.suffix == ".csv" or (options.data / "train.csv").is_file()
    if options.root and not is_manifest:
        raise ValueError(f"{options.data} is not a manifest; --root is for manifests only.")
    if options.out.resolve().is_relative_to(options.data.resolve()) and not is_manifest:
        raise ValueError(f"{options.out} is inside {options.data}, where it would become a class.")
    load_augmentation(options.preset)  # reports typos before anything is written
    read = partial(from_manifest, root=options.root) if is_manifest else from_folders
    originals = read(options.data)
    sources, copies = _plan(originals, options)
    keep_to_settings(options, originals)
    writing = Writing(originals.root, options.out, options.preset, options.image_size, options.seed)
    try:
        write_copies(copies, writing, options.processes)
    except KeyboardInterrupt:
        print("Interrupted: the same command resumes from here.", file=sys.stderr)
        raise SystemExit(130) from None
    rows = [(target(copy, writing), copy.label, copy.split, copy.group) for copy in copies]
    write_table(options.out / "manifest.csv", COLUMNS, rows)
    counts = ClassCounts(sources, copies, originals.class_names)
    counts.write(options.out)
    counts.show()
    _report(copies, options)


def _plan(
    originals: Originals, options: argparse.Namespace
) -> tuple[Mapping[str, ImageSource], list[Copy]]:
    """The originals of each split, and what to write."""
    found = {name: source for name, source in originals.sources.items() if name != "predict"}
    share = SplitSettings().val if options.val is None else options.val
    num_val = options.val_per_class or round(share * options.per_class)
    if not 0 < num_val < options.per_class:
        raise ValueError(
            f"Expected fewer validation images than --per_class {options.per_class}, and one or "
            f"more, got {num_val}."
        )
    amounts = to_split(options, found.keys() - {"val"})
    amounts = replace(amounts, val=num_val / options.per_class, val_per_class=None)
    names = originals.class_names
    if not options.allow_leak:
        wanted = {"train": options.per_class - num_val, "val": num_val}
        sources = amounts.complete(found, names)
        return sources, plan_copies(sources, names, wanted, options.seed)
    if "val" in found:
        raise ValueError("The dataset already has val images: leave out --allow_leak.")
    sources = amounts.complete(found | {"val": found["train"].subset(NONE)}, names)
    copies = plan_copies(sources, names, {"train": options.per_class}, options.seed)
    return sources, leaked(copies, num_val, options.seed)


def _report(copies: Sequence[Copy], options: argparse.Namespace) -> None:
    if both := in_both_splits(copies):
        print(
            f"warning: copies of {len(both):,} originals are in both train and val, because of "
            "--allow_leak: the validation accuracy will be too high.",
            file=sys.stderr,
        )
    print(
        f"Train on them with\n  lightning_cli fit --config configs/manifest.yaml "
        f"--data.manifest {options.out / 'manifest.csv'}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli prepare augment", description=DESCRIPTION)
    parser.add_argument("data", type=Path, metavar="DATA", help="class folders, or a manifest")
    parser.add_argument("--root", type=Path, help="folder that paths in a manifest are relative to")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument(
        "--per_class",
        type=positive,
        required=True,
        metavar="N",
        help="training and validation images of each class, together",
    )
    parser.add_argument(
        "--preset", default="light", help="an augmentation preset (light), or a YAML file"
    )
    add_amounts(parser)
    parser.add_argument("--image_size", type=positive, metavar="PIXELS", help="squeeze to squares")
    parser.add_argument("--processes", type=positive, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument(
        "--allow_leak",
        action="store_true",
        help="draw validation images after augmentation, even if training has copies of them",
    )
    return parser
