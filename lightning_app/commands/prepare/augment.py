"""`lightning_cli prepare augment`: as many images of each class, by augmentation, once for all."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from datamodules.augmentation.load import load_augmentation
from datamodules.splits.split import Split
from lightning_app.commands.prepare.amounts import add_amounts, positive, to_split
from lightning_app.commands.prepare.copies import Copy, leaked, on_both_sides, plan_copies
from lightning_app.commands.prepare.originals import Originals, from_folders, from_manifest
from lightning_app.commands.prepare.settings import keep_to_settings
from lightning_app.commands.prepare.tables import write_table
from lightning_app.commands.prepare.writing import Writing, target, write_copies

DESCRIPTION = """\
Write images until each class has as many: the originals, and augmented copies of them. Originals
are split first, so that copies of one never lie on both sides; test images are copied as they are.
A run that was interrupted goes on where it stopped. The manifest has a column `group`, which names
the original.
"""
NONE = np.empty(0, np.int64)
COLUMNS = ("image", "label", "split", "group")


def augment(args: list[str]) -> None:
    """Write the images and their manifest.

    Args:
        args: The command line after `prepare augment`.

    Raises:
        ValueError: If originals are missing or cannot be read, or the folder holds images that were
            made in another way.
        SystemExit: With 2 if the command line does not parse, 130 after Ctrl-C.
    """
    options = _parser().parse_args(args)
    is_manifest = options.data.suffix == ".csv" or (options.data / "train.csv").is_file()
    if options.root and not is_manifest:
        raise ValueError(f"{options.data} is no manifest, and so --root has no meaning.")
    if options.out.resolve().is_relative_to(options.data.resolve()) and not is_manifest:
        raise ValueError(f"{options.out} lies in {options.data}: its images would become a class.")
    load_augmentation(options.preset)  # a slip of the pen shows before anything is written
    read = partial(from_manifest, root=options.root) if is_manifest else from_folders
    originals = read(options.data)
    copies = _plan(originals, options)
    keep_to_settings(options, originals)
    writing = Writing(originals.root, options.out, options.preset, options.image_size, options.seed)
    try:
        write_copies(copies, writing, options.processes)
    except KeyboardInterrupt:
        print("Interrupted: the same command goes on from here.", file=sys.stderr)
        raise SystemExit(130) from None
    rows = [(target(copy, writing), copy.label, copy.split, copy.group) for copy in copies]
    write_table(options.out / "manifest.csv", COLUMNS, rows)
    _report(copies, options)


def _plan(originals: Originals, options: argparse.Namespace) -> list[Copy]:
    found = {name: source for name, source in originals.sources.items() if name != "predict"}
    share = Split().val if options.val is None else options.val
    num_val = options.val_per_class or round(share * options.per_class)
    if not 0 < num_val < options.per_class:
        raise ValueError(
            f"Expected fewer validation images than --per-class {options.per_class}, and one or "
            f"more, got {num_val}."
        )
    amounts = to_split(options, found.keys() - {"val"})
    amounts = replace(amounts, val=num_val / options.per_class, val_per_class=None)
    names = originals.class_names
    if not options.allow_leak:
        wanted = {"train": options.per_class - num_val, "val": num_val}
        return plan_copies(amounts.complete(found, names), names, wanted, options.seed)
    if "val" in found:
        raise ValueError("The data have val images of their own: leave out --allow-leak.")
    sources = amounts.complete(found | {"val": found["train"].subset(NONE)}, names)
    copies = plan_copies(sources, names, {"train": options.per_class}, options.seed)
    return leaked(copies, num_val, options.seed)


def _report(copies: Sequence[Copy], options: argparse.Namespace) -> None:
    counts = {s: sum(copy.split == s for copy in copies) for s in ("train", "val", "test")}
    print(", ".join(f"{count:,} {split}" for split, count in counts.items()), "images.")
    if both := on_both_sides(copies):
        print(
            f"warning: copies of {len(both):,} originals are trained on and validated on, as "
            "--allow-leak asks for: the validation accuracy will be too high.",
            file=sys.stderr,
        )
    print(
        f"Train from them with\n  lightning_cli fit --config configs/manifest.yaml "
        f"--data.manifest {options.out / 'manifest.csv'}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli prepare augment", description=DESCRIPTION)
    parser.add_argument("data", type=Path, metavar="DATA", help="class folders, or a manifest")
    parser.add_argument("--root", type=Path, help="folder that paths in a manifest are relative to")
    parser.add_argument("--out", type=Path, required=True, help="folder that the images go to")
    parser.add_argument(
        "--per-class",
        type=positive,
        required=True,
        metavar="N",
        help="images of each class to train and to validate on, together",
    )
    parser.add_argument("--preset", default="s1", help="an augmentation's name, or a YAML file")
    add_amounts(parser)
    parser.add_argument("--image-size", type=positive, metavar="PIXELS", help="squeeze to squares")
    parser.add_argument("--processes", type=positive, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument(
        "--allow-leak",
        action="store_true",
        help="draw validation images after augmentation, whatever original they come from",
    )
    return parser
