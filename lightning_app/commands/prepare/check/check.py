"""`lightning_cli prepare check`: what is wrong with the data, before they are trained on."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from lightning_app.commands.prepare.check.check_page import write_page
from lightning_app.commands.prepare.check.class_findings import class_findings
from lightning_app.commands.prepare.check.copy_findings import copy_findings
from lightning_app.commands.prepare.check.facts import Facts
from lightning_app.commands.prepare.check.file_findings import file_findings
from lightning_app.commands.prepare.check.findings import Finding, by_severity
from lightning_app.commands.prepare.check.folders import list_folders
from lightning_app.commands.prepare.check.listing import Listing
from lightning_app.commands.prepare.check.manifests import list_manifest, manifest_files
from lightning_app.commands.prepare.check.size_findings import size_findings
from lightning_app.commands.prepare.check.survey import survey
from lightning_app.commands.prepare.check.terminal import print_findings

DESCRIPTION = """\
Look for what makes training fail or its scores wrong: files that cannot be read, copies in two
splits or under two labels, classes that are missing. Nothing is changed. The exit status is 1 if
there is an error, else 0.
"""
DATA = """\
class folders; train, val and test with class folders in them; a CSV file with the columns image,
label and perhaps split; or a folder with train.csv and perhaps val.csv and test.csv, which are then
what is checked
"""


def check(args: list[str]) -> None:
    """Check a data set, print the findings, and write them to a page.

    Args:
        args: The command line after `prepare check`.

    Raises:
        ValueError: If there are no such data.
        SystemExit: With 1 if training would fail or leak, 2 if the command line does not parse.
    """
    options = _parser().parse_args(args)
    if options.out.suffix not in (".html", ".htm"):
        raise ValueError(f"The page goes to a file that ends in .html (--out), not {options.out}.")
    if options.processes < 1:
        raise ValueError(f"--processes is {options.processes}; expected 1 or more.")
    listing = list_data(options.data, options.root, options.delimiter)
    facts = survey([entry.file for entry in listing.entries], options.processes)
    findings = find(listing, facts)
    write_page(options.out, options.data.resolve().name, listing.entries, facts, findings)
    print_findings(listing.entries, findings)
    print(f"The page with thumbnails: {options.out}")
    if any(finding.severity == "error" for finding in findings):
        raise SystemExit(1)


def list_data(data: Path, root: Path | None = None, delimiter: str = ",") -> Listing:
    """The images of a data set of any layout.

    Args:
        data: Folder, or CSV file.
        root: Folder that the paths in a CSV file are relative to; None for its own.
        delimiter: What stands between two values of a CSV file.

    Raises:
        ValueError: If there are no images.
    """
    if not data.exists():
        raise ValueError(f"There is no file or folder {data}.")
    if files := manifest_files(data):
        return list_manifest(files, root, delimiter)
    if root is not None:
        raise ValueError(f"--root is for CSV files, and {data} is a folder without train.csv.")
    return list_folders(data)


def find(listing: Listing, facts: Sequence[Facts]) -> list[Finding]:
    """All findings, errors first.

    Args:
        listing: The images.
        facts: What the file of each holds.
    """
    surveyed = list(zip(listing.entries, facts, strict=True))
    return by_severity(
        [
            *listing.findings,
            *file_findings(surveyed),
            *copy_findings(surveyed),
            *class_findings(listing.entries),
            *size_findings(surveyed),
        ]
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli prepare check", description=DESCRIPTION)
    parser.add_argument("data", type=Path, metavar="DATA", help=DATA)
    parser.add_argument("--root", type=Path, help="folder that paths in CSV files are relative to")
    parser.add_argument("--delimiter", default=",", help="what separates values in CSV files")
    parser.add_argument("--out", type=Path, default=Path("check.html"), help="where the page goes")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="as many as cores if not given"
    )
    return parser
