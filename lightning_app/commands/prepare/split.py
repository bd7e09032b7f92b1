"""`lightning_cli prepare split`: list the images of class folders in CSV manifests, by split."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from datamodules.sources.source import ImageSource
from datamodules.splits.selection import limited
from lightning_app.commands.prepare.originals import from_folders
from lightning_app.commands.prepare.split_sizes import add_amounts, positive, to_split
from lightning_app.commands.prepare.tables import count_table, write_table

DESCRIPTION = """\
List the images of class folders in train.csv, val.csv and test.csv, with the columns image and
label; images without a label in predict.csv. The split of an image is drawn from its name: it is
the same on every machine, and barely changes when images are added. Folders called train, val,
test or predict are kept as splits.
"""
FILES = ("train.csv", "val.csv", "test.csv", "predict.csv")


def split(args: list[str]) -> None:
    """Write the manifests, and print how many images of each class they list.

    Args:
        args: The command line after `prepare split`.

    Raises:
        ValueError: If a folder, a class or an image is missing, or a manifest would be overwritten.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parser().parse_args(args)
    present = [name for name in FILES if (options.out / name).exists()]
    if present and not options.force:
        raise ValueError(
            f"{options.out} has {', '.join(present)} already; --force overwrites them."
        )
    originals = from_folders(options.root, options.predict, options.exclude)
    amounts = to_split(options, originals.sources)
    sources = amounts.complete(originals.sources, originals.class_names)
    sources["train"] = limited(sources["train"], options.limit_per_class, options.seed)
    _write(options.out, sources, originals.class_names)
    print(count_table(sources, originals.class_names))
    print(
        f"\nThe manifests are in {options.out}. Train on them with\n"
        f"  lightning_cli fit --config configs/manifest.yaml --data.manifest {options.out} "
        f"--data.root {options.root}"
    )


def _write(folder: Path, sources: Mapping[str, ImageSource], classes: tuple[str, ...]) -> None:
    for name, source in sources.items():
        if name == "predict":
            write_table(folder / "predict.csv", ["image"], ([image] for image in source.names))
        else:
            labels = [classes[label] for label in source.labels]
            rows = zip(source.names, labels, strict=True)
            write_table(folder / f"{name}.csv", ["image", "label"], rows)
    for file in set(FILES) - {f"{name}.csv" for name in sources}:
        (folder / file).unlink(missing_ok=True)  # left by an earlier split


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli prepare split", description=DESCRIPTION)
    parser.add_argument(
        "root", type=Path, metavar="ROOT", help="class folders, or folders of splits with them"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write the manifests to")
    add_amounts(parser)
    parser.add_argument("--predict", type=Path, help="folder below ROOT of images without a label")
    parser.add_argument(
        "--exclude", nargs="+", default=[], metavar="CLASS", help="classes to leave out"
    )
    parser.add_argument(
        "--limit_per_class",
        type=positive,
        metavar="N",
        help="train on at most N images of each class",
    )
    parser.add_argument("--force", action="store_true", help="overwrite existing manifests")
    return parser
