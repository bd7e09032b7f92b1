"""HTML page of a report: one self-contained file without scripts or links."""

import math
import time
from collections.abc import Sequence
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from lightning_app.commands.report import group_notes, overview
from lightning_app.commands.report.pictures import Topic, View, frames, reduced_notes, topics_of
from lightning_app.pages.data_uris import Embedded, embed_all
from lightning_app.pages.doubt_notes import doubt_notes
from lightning_app.pages.language import Language
from lightning_app.pages.rendering import WIDE, open_templates, side_by_side
from lightning_app.pages.words import Words
from lightning_app.store.describe_run import COMMIT, best_epoch, class_names_of, splits_of
from lightning_app.store.evaluations import (
    checkpoint_label,
    evaluations_of,
    without_repetitions,
)
from lightning_app.store.external_scores import external_scores
from lightning_app.store.run_scores import (
    Result,
    confusions,
    latest_results,
    results_of,
    worst_classes,
)
from lightning_app.store.stored_run import StoredRun, open_stored_run

MOST_CLASSES = 500  # rows of the table of images per class
SYSTEM = "system/"  # prefix of the metrics of the machine, which are left out


def render_report(client: MlflowClient, run: Run, language: Language) -> str:
    """Render the report of a run.

    Args:
        client: Client of the store.
        run: The run; it may have failed or still be running.
        language: Language of the report.

    Returns:
        The HTML page.
    """
    with open_stored_run(client, run) as stored_run:
        template = open_templates("lightning_app.commands.report").get_template("report.html")
        return template.render(_context(stored_run, Words(language)))


def _context(stored_run: StoredRun, words: Words) -> dict[str, Any]:
    splits = splits_of(stored_run)
    results = results_of(stored_run, splits)
    return {
        "t": words.texts,
        "words": words,
        "run": stored_run.run.info,
        "experiment": stored_run.experiment,
        "now": words.date(time.time_ns() // 1_000_000),
        "tiles": overview.tiles(stored_run, words, splits, results),
        "training": overview.training_rows(stored_run, words),
        "data": overview.data_rows(stored_run, words, splits),
        "ended": overview.ended_rows(stored_run, words),
        "code": overview.code_rows(stored_run, words),
        "splits": splits,
        "class_names": class_names_of(splits)[:MOST_CLASSES],
        "more_classes": _more_classes(len(class_names_of(splits)), words),
        "totals": {
            name: sum(split.counts.get(name, 0) for split in splits)
            for name in class_names_of(splits)
        },
        "results": results,
        "notes": [
            *overview.copy_notes(stored_run, words),
            *overview.shortcut_notes(stored_run, words),
            *group_notes.group_notes(stored_run, words),
            *group_notes.subject_notes(stored_run, words),
            *overview.corruption_notes(stored_run, words),
        ],
        "doubts": [
            *doubt_notes(stored_run.table("tables/honesty_val.json"), words),
            *reduced_notes(stored_run, words),
        ],
        "external": external_scores(stored_run),
        "folds": stored_run.table("tables/folds.json"),
        "gains": stored_run.table("tables/ensemble.json"),
        "soup": stored_run.table("tables/soup.json"),
        "chosen_by": _chosen_by(results, words),
        "evaluations": without_repetitions(evaluations_of(stored_run)),
        "checkpoint_label": checkpoint_label,
        "nan": math.nan,
        "evaluated": {
            result.split: overview.place_of(result, words)
            for result in latest_results(stored_run, splits)
        },
        "best": _best(stored_run, words),
        "metrics": sorted(
            (name, words.number(value))
            for name, value in stored_run.metrics.items()
            if not name.startswith(SYSTEM)
        ),
        "worst": worst_classes(stored_run),
        "confusions": confusions(stored_run),
        "sections": _sections(stored_run, words),
        "command": stored_run.tags.get("command", ""),
        "commit": stored_run.tags.get(COMMIT, ""),
        "config": stored_run.text("config/config.yaml"),
        "environment": stored_run.text("config/environment.txt"),
        "summary": stored_run.text("model/summary.txt"),
    }


def _more_classes(number: int, words: Words) -> str:
    """How many of the classes are listed; empty if all are."""
    if number <= MOST_CLASSES:
        return ""
    shown = words.number(MOST_CLASSES)
    return words["splits_table"]["first"].format(shown=shown, number=words.number(number))


def _chosen_by(results: Sequence[Result], words: Words) -> str:
    """Which scores to expect on new images: the best checkpoint was chosen by its validation."""
    if not results or results[0].split != "test":
        return words["numbers"]["no_test"]
    return words["numbers"]["validation"] if results[0].checkpoint.startswith("best") else ""


def _best(stored_run: StoredRun, words: Words) -> str:
    """The best epoch, in a sentence; empty if it is unknown."""
    if (best := best_epoch(stored_run)) is None:
        return ""
    metric, epoch, value = best
    return words["numbers"]["best"].format(metric=metric, value=f"{value:.4f}", epoch=epoch)


def _sections(stored_run: StoredRun, words: Words) -> dict[str, list[dict[str, Any]]]:
    """The topics of each section of the page, as the template needs them."""
    sections = topics_of(stored_run)
    topics = [topic for of_section in sections.values() for topic in of_section]
    needed = sum(len(topic.views) for topic in topics)
    images = embed_all(frames(topics), stored_run.content, needed)
    return {
        section: side_by_side([_topic(topic, images, words) for topic in of_section])
        for section, of_section in sections.items()
    }


def _topic(topic: Topic, images: dict[str, Embedded], words: Words) -> dict[str, Any]:
    known = words["pictures"].get(topic.kind) or {"title": "", "read": words["own_picture"]}
    splits = words["splits"] if topic.shows_images else {}
    views = [
        _view(view, images, splits.get(view.split, ""), words["details"]) for view in topic.views
    ]
    return {
        "title": known["title"],
        "name": topic.name if topic.name != topic.kind or not known["title"] else "",
        "read": known["read"],
        "views": views,
        "wide": len(views) > 1 or views[0]["wide"],
    }


def _view(
    view: View, images: dict[str, Embedded], split: str, details: dict[str, str]
) -> dict[str, Any]:
    shown = {epoch: images[path] for epoch, path in view.files.items() if path in images}
    last = list(shown.values())[-1]
    detail = details.get(view.detail, view.detail)
    return {
        "caption": " · ".join(filter(None, (split, detail))),
        "frames": shown,
        "wide": last.width > WIDE * last.height,
    }
