"""From the names of runs to what is told of them."""

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
from lightning_app.commands.compare.terminal import described
from lightning_app.pages.language import Language, language_of
from lightning_app.pages.page_file import write_html
from lightning_app.pages.words import Words
from lightning_app.store.locations import artifact_location
from lightning_app.store.predictions import SplitName
from lightning_app.store.runs import children_of, find_run, name_with_id, open_store, quoted
from lightning_app.store.stored_run import StoredRun, open_stored_run

FOLDER = "comparisons"  # among the artifacts
ABLATION = "ablation"  # tag of a run that is the parent of others
SUGGESTED = 3  # children that an error names
MAX_NAME = 60  # characters of a file, each of which may take four bytes


def run(
    wanted: Sequence[str],
    split: SplitName | None,
    num_images: int,
    language: Language | None,
    out: Path | None,
) -> None:
    """Compare runs, print what was found, and write the page.

    Args:
        wanted: Ids or names of the runs.
        split: The images; None for those that all runs have predictions of.
        num_images: In a sheet.
        language: Of the page; None for that of the last run.
        out: Where the page goes; None for the artifacts of the last run.

    Raises:
        ValueError: If there is no such run, one is named twice or is the parent of an ablation, or
            they have no image in common.
    """
    client = open_store()
    runs = _different(client, wanted)
    with ExitStack() as stack:
        records = [stack.enter_context(open_stored_run(client, of_name)) for of_name in runs]
        for record in records:
            _refuse_parent(client, record)
        comparison = compare_runs(records, split)
        print(described(comparison, Words("en")))
        images, complaint = _images(comparison, num_images)
        if complaint:
            print(f"\nNo sheets of images: {complaint}")
        words = Words(language_of(runs[-1], language))
        page = render_comparison(comparison, words, images, num_images, complaint)
    if out is None:
        name = _file_name(comparison.names)
        client.log_text(runs[-1].info.run_id, page, name)
        print(f"\nComparison  {artifact_location(runs[-1], name)}")
    else:
        write_html(out, page)
        print(f"\nComparison  {out}")


def _different(client: MlflowClient, wanted: Sequence[str]) -> list[Run]:
    runs = [find_run(client, name) for name in wanted]
    ids = [of_name.info.run_id for of_name in runs]
    for of_name in runs:
        if ids.count(of_name.info.run_id) > 1:
            raise ValueError(
                f"The run {of_name.info.run_name!r} is named twice; expected different runs."
            )
    return runs


def _refuse_parent(client: MlflowClient, record: StoredRun) -> None:
    """An ablation was never tested itself: its children were.

    Raises:
        ValueError: If the run is the parent of an ablation.
    """
    tested = any(file.startswith("predictions/") for file in record.files)
    if tested or ABLATION not in record.tags:
        return
    children = children_of(client, record.run)
    names = quoted(name_with_id(child) for child in children[:SUGGESTED])
    told = f" instead, such as {names}" if children else ", once it has any"
    raise ValueError(
        f"The run {record.run.info.run_name!r} is the parent of an ablation and has no predictions "
        f"of its own. Name runs of the ablation{told}."
    )


def _images(comparison: Comparison, num_images: int) -> tuple[dict[str, Tensor], str]:
    """The images of the sheets, or what is in the way of reading them."""
    names = shown_images(comparison, num_images)
    if not names:
        return {}, ""
    try:
        return read_images(comparison.records[0], comparison.split, names), ""
    except Exception as error:  # whatever a datamodule raises: the comparison needs no images
        if os.environ.get(DEBUG):
            raise
        return {}, f"those of {comparison.names[0]!r} cannot be read again: {error}"


def _file_name(names: Sequence[str]) -> str:
    joined = re.sub(r"[^\w.-]+", "-", "_".join(names))
    return f"{FOLDER}/{joined[:MAX_NAME].strip('.-')}.html"
