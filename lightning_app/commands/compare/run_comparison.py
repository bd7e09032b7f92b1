"""Comparison of named runs: read them, print the result, and write the page."""

import os
import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from torch import Tensor

from lightning_app.cli.errors.user_errors import DEBUG
from lightning_app.commands.compare.compare_page import render_comparison
from lightning_app.commands.compare.comparison import Comparison, compare_runs
from lightning_app.commands.compare.figures import shown_images
from lightning_app.commands.compare.images import read_images
from lightning_app.commands.compare.terminal import print_comparison
from lightning_app.pages.language import Language, language_of
from lightning_app.pages.page_file import write_html
from lightning_app.pages.words import Words
from lightning_app.store.locations import artifact_location
from lightning_app.store.predictions import SplitName
from lightning_app.store.runs import children_of, find_run, name_with_id, open_store, quoted
from lightning_app.store.stored_run import StoredRun, open_stored_run

FOLDER = "comparisons"  # among the artifacts
ABLATION = "ablation"  # tag of a run that is the parent of others
SUGGESTED = 3  # child runs that an error names
MAX_NAME = 60  # characters of a file name, each of which may take four bytes


def run_comparison(
    wanted: Sequence[str],
    split: SplitName | None,
    num_images: int,
    language: Language | None,
    out: Path | None,
) -> None:
    """Compare runs, print the result, and write the page.

    Args:
        wanted: Ids or names of the runs.
        split: Split of the images; None for one that all runs have predictions of.
        num_images: Number of images on a contact sheet.
        language: Language of the page; None for that of the last run.
        out: File of the page; None makes it an artifact of the last run.

    Raises:
        ValueError: If there is no such run, one is named twice or is the parent of an ablation, or
            the runs have no image in common.
    """
    client = open_store()
    runs = _find_runs(client, wanted)
    with ExitStack() as stack:
        records = [stack.enter_context(open_stored_run(client, run)) for run in runs]
        for record in records:
            _check_not_parent(client, record)
        comparison = compare_runs(records, split)
        print_comparison(comparison, Words("en"))
        images, complaint = _images(comparison, num_images)
        if complaint:
            print(f"\nNo contact sheets: {complaint}")
        words = Words(language_of(runs[-1], language))
        page = render_comparison(comparison, words, images, num_images, complaint)
    if out is None:
        name = _file_name(comparison.names)
        client.log_text(runs[-1].info.run_id, page, name)
        print(f"\nComparison  {artifact_location(runs[-1], name)}")
    else:
        write_html(out, page)
        print(f"\nComparison  {out}")


def _find_runs(client: MlflowClient, wanted: Sequence[str]) -> list[Run]:
    runs = [find_run(client, name) for name in wanted]
    ids = [run.info.run_id for run in runs]
    for run in runs:
        if ids.count(run.info.run_id) > 1:
            raise ValueError(
                f"The run {run.info.run_name!r} is named twice; expected different runs."
            )
    return runs


def _check_not_parent(client: MlflowClient, record: StoredRun) -> None:
    """Reject the parent run of an ablation: only its child runs have predictions.

    Raises:
        ValueError: If the run is the parent of an ablation.
    """
    tested = any(file.startswith("predictions/") for file in record.files)
    if tested or ABLATION not in record.tags:
        return
    children = children_of(client, record.run)
    names = quoted(name_with_id(child) for child in children[:SUGGESTED])
    hint = f"name its child runs, such as {names}" if children else "it has no child run yet"
    raise ValueError(
        f"The run {record.run.info.run_name!r} is the parent of an ablation and has no predictions "
        f"of its own; {hint}."
    )


def _images(comparison: Comparison, num_images: int) -> tuple[dict[str, Tensor], str]:
    """The images of the contact sheets, or why they cannot be read."""
    names = shown_images(comparison, num_images)
    if not names:
        return {}, ""
    try:
        return read_images(comparison.records[0], comparison.split, names), ""
    except Exception as error:  # whatever a datamodule raises; the comparison works without images
        if os.environ.get(DEBUG):
            raise
        return {}, f"the images of {comparison.names[0]!r} cannot be read: {error}"


def _file_name(names: Sequence[str]) -> str:
    joined = re.sub(r"[^\w.-]+", "-", "_".join(names))
    return f"{FOLDER}/{joined[:MAX_NAME].strip('.-')}.html"
