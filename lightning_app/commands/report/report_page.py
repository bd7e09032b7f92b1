"""The report of a run as one HTML page that needs nothing else: no network, no script, no file."""

import time
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from lightning_app.commands.report import overview
from lightning_app.commands.report.pictures import Topic, View, frames, topics_of
from lightning_app.pages.data_uris import Embedded, embed_all
from lightning_app.pages.language import Language
from lightning_app.pages.rendering import WIDE, open_templates, side_by_side
from lightning_app.pages.words import Words
from lightning_app.store.run_facts import COMMIT, best_epoch, class_names, splits_of
from lightning_app.store.run_scores import confusions, results_of, worst_classes
from lightning_app.store.stored_run import StoredRun, open_stored_run

SYSTEM = "system/"  # metrics of the machine, which say nothing of the network


def write_page(client: MlflowClient, run: Run, language: Language) -> str:
    """The report of a run, made from what the store holds of it.

    Args:
        client: The store.
        run: The run, of any end state.
        language: Of the sentences.
    """
    with open_stored_run(client, run) as record:
        template = open_templates("lightning_app.commands.report").get_template("page.html")
        return template.render(_context(record, Words(language)))


def _context(record: StoredRun, words: Words) -> dict[str, Any]:
    splits = splits_of(record)
    results = results_of(record, splits)
    return {
        "t": words.texts,
        "words": words,
        "run": record.run.info,
        "experiment": record.experiment,
        "now": words.date(time.time_ns() // 1_000_000),
        "tiles": overview.tiles(record, words, splits, results),
        "training": overview.training_rows(record, words),
        "data": overview.data_rows(record, words, splits),
        "ended": overview.ended_rows(record, words),
        "code": overview.code_rows(record, words),
        "splits": splits,
        "class_names": class_names(splits),
        "results": results,
        "best": _best(record, words),
        "metrics": sorted(
            (name, words.number(value))
            for name, value in record.metrics.items()
            if not name.startswith(SYSTEM)
        ),
        "worst": worst_classes(record),
        "confusions": confusions(record),
        "sections": _sections(record, words),
        "command": record.tags.get("command", ""),
        "commit": record.tags.get(COMMIT, ""),
        "config": record.text("config/config.yaml"),
        "environment": record.text("config/environment.txt"),
        "summary": record.text("model/summary.txt"),
    }


def _best(record: StoredRun, words: Words) -> str:
    """Which epoch was the best, and by what."""
    if (best := best_epoch(record)) is None:
        return ""
    metric, epoch, value = best
    return words["numbers"]["best"].format(metric=metric, value=f"{value:.4f}", epoch=epoch)


def _sections(record: StoredRun, words: Words) -> dict[str, list[dict[str, Any]]]:
    """The topics of each section as the template needs them."""
    sections = topics_of(record)
    topics = [topic for of_section in sections.values() for topic in of_section]
    needed = sum(len(topic.views) for topic in topics)
    images = embed_all(frames(topics), record.content, needed)
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
