"""`lightning_cli prepare check`: find what is wrong with a dataset before training."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from datamodules.tables.manifest_file import Layout
from datamodules.tables.table_files import manifest_files
from lightning_app.cli.one_line.layouts import layout_of
from lightning_app.cli.one_line.options import after_configs, inline, take_root
from lightning_app.commands.prepare.check.check_page import write_page
from lightning_app.commands.prepare.check.class_findings import class_findings
from lightning_app.commands.prepare.check.copy_findings import copy_findings
from lightning_app.commands.prepare.check.csv_files import list_manifest, list_pixels
from lightning_app.commands.prepare.check.data_options import data_options, name_of_dataset
from lightning_app.commands.prepare.check.facts import ImageFacts
from lightning_app.commands.prepare.check.file_findings import file_findings
from lightning_app.commands.prepare.check.findings import Finding, by_severity
from lightning_app.commands.prepare.check.folders import list_folders
from lightning_app.commands.prepare.check.listing import Listing
from lightning_app.commands.prepare.check.shortcuts.shortcut_findings import shortcut_findings
from lightning_app.commands.prepare.check.shortcuts.shortcuts import Shortcuts, find_shortcuts
from lightning_app.commands.prepare.check.size_findings import size_findings
from lightning_app.commands.prepare.check.survey import survey
from lightning_app.commands.prepare.check.terminal import print_findings
from lightning_app.commands.prepare.split_sizes import positive

DESCRIPTION = """\
Look for problems that make training fail or its scores wrong: unreadable files, copies in two
splits or under two labels, missing classes, classes that are known by a watermark, a frame, the
camera or the compression instead of their subject. Nothing is changed. The exit status is 1 if
there is an error, else 0.
"""
FOLDER = Path("checks")  # of reports whose place is not given
DATA = """\
what `fit` reads: class folders; folders train, val and test with class folders in them; a CSV, JSON
or Parquet file with the columns image, label and perhaps split; a CSV file of pixels with the
columns label,feature or emotion,pixels,Usage; a folder with train.csv and perhaps val.csv and
test.csv; a dataset saved by `datasets`; or shards
"""


def check(args: list[str]) -> None:
    """Check a dataset, print the findings, and write them to an HTML report.

    Args:
        args: The command line after `prepare check`.

    Raises:
        ValueError: If there is no such dataset.
        SystemExit: With 1 if training would fail or leak, 2 if the command line does not parse.
    """
    of_data, others = data_options(args)
    options = _parser().parse_args(others)
    name = name_of_dataset(options.data, of_data)
    out = options.out or FOLDER / f"{name}.html"
    if out.suffix not in (".html", ".htm"):
        raise ValueError(f"Expected --out to end in .html, got {out}.")
    listing = _listing(options, of_data)
    facts = survey(listing.entries, options.processes)
    shortcuts = find_shortcuts(listing.entries, facts)
    findings = find(listing, facts, shortcuts)
    if options.out is None:
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / ".gitignore").write_text("*\n")  # thumbnails of a dataset do not belong into git
    write_page(out, name, listing.entries, facts, findings, shortcuts)
    print_findings(listing.entries, findings, shortcuts)
    print(f"The report with thumbnails: {out}")
    if any(finding.severity == "error" for finding in findings):
        raise SystemExit(1)


def _listing(options: argparse.Namespace, of_data: list[str]) -> Listing:
    """The images of the dataset; with the settings of a fit, in the splits of that fit."""
    if not of_data:
        if options.data is None:
            raise ValueError("`prepare check` needs a dataset: DATA, or --config FILE.yaml.")
        return list_dataset(options.data, options.root, options.delimiter, options.class_names)
    if options.root or options.delimiter or options.class_names:
        raise ValueError("With --config or --data, write --data.root, --data.delimiter and so on.")
    from lightning_app.commands.prepare.check.configured import list_configured  # imports torch

    path = take_root(of_data) if options.data is None else str(options.data)
    more = [] if path is None else [inline({"data": layout_of(path)})]
    return list_configured(after_configs(of_data, more))


def list_dataset(
    data: Path,
    root: Path | None = None,
    delimiter: str | None = None,
    class_names: Sequence[str] = (),
) -> Listing:
    """The images of a dataset of any layout.

    Args:
        data: Folder, or CSV file.
        root: Folder that the paths in a CSV file are relative to; None for its own.
        delimiter: The character between two values of a CSV file; None to find it.
        class_names: Names of the classes, if the labels in a CSV file are indices; otherwise empty.

    Raises:
        ValueError: If there are no images, or an option is not for this layout.
    """
    if not data.exists():
        raise ValueError(f"There is no file or folder {data}.")
    section = layout_of(str(data))
    layout, settings = section["class_path"].rpartition(".")[2], section["init_args"]
    if layout != "ManifestDataModule" and root is not None:
        raise ValueError(f"--root is for tables of image files; {data} is none.")
    if layout == "ShardDataModule":
        from lightning_app.commands.prepare.check.shards import list_shards  # imports torch

        return list_shards(data)
    if layout == "ImageFolderDataModule":
        if class_names:
            raise ValueError(f"--class_names is for tables; {data} is a folder of images.")
        return list_folders(data)
    if layout == "PixelCSVDataModule":
        return list_pixels(manifest_files(data), class_names)
    tables = Layout(delimiter=delimiter, class_names=class_names)
    return list_manifest(manifest_files(settings["manifest"]), root, tables)


def find(
    listing: Listing, facts: Sequence[ImageFacts], shortcuts: Shortcuts = Shortcuts()
) -> list[Finding]:
    """All findings, errors first.

    Args:
        listing: The images.
        facts: The properties of each image.
        shortcuts: By what the classes can be told apart.
    """
    surveyed = list(zip(listing.entries, facts, strict=True))
    return by_severity(
        [
            *listing.findings,
            *file_findings(surveyed),
            *copy_findings(surveyed, listing.is_split),
            *class_findings(listing.entries),
            *size_findings(surveyed),
            *shortcut_findings(shortcuts),
        ]
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli prepare check", description=DESCRIPTION)
    parser.add_argument("data", type=Path, metavar="DATA", nargs="?", help=DATA)
    text = "a configuration of `fit`, for its data and splits (imports torch)"
    parser.add_argument("--config", metavar="FILE", help=text)
    text = "settings of the data as for `fit`, such as --data.pattern or --data.split.val_last_n"
    parser.add_argument("--data.…", dest="settings", metavar="VALUE", help=text)
    parser.add_argument("--root", type=Path, help="folder that paths in CSV files are relative to")
    parser.add_argument("--delimiter", help="what separates values in CSV files")
    parser.add_argument(
        "--class_names",
        nargs="+",
        default=[],
        metavar="NAME",
        help="names of the classes, if labels in CSV files are their indices",
    )
    text = f"HTML report to write ({FOLDER}/NAME.html, which git ignores)"
    parser.add_argument("--out", type=Path, metavar="FILE", help=text)
    parser.add_argument(
        "--processes",
        type=positive,
        default=os.cpu_count() or 1,
        metavar="N",
        help="as many as cores if not given",
    )
    return parser
