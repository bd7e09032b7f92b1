"""The rows and tiles that say what a run was."""

from collections.abc import Sequence

from lightning_app.pages.words import Words
from lightning_app.store import run_facts
from lightning_app.store.run_facts import CHANGED, COMMIT, Split, class_names
from lightning_app.store.run_scores import Result
from lightning_app.store.stored_run import StoredRun

SHOWN_NAMES = 12  # of classes

Rows = list[tuple[str, str]]  # label and value


def tiles(
    record: StoredRun, words: Words, splits: Sequence[Split], results: Sequence[Result]
) -> Rows:
    """The numbers that one looks for first."""
    shown: Rows = []
    for result in results[:1]:
        split = words["splits"][result.split]
        for metric, score in result.scores.items():
            if metric.kind != "loss":
                shown.append((words.metric(metric, split), words.percent(score.value, 1)))
    numbers = {
        "classes": len(class_names(splits)),
        "images": next((split.images for split in splits if split.name == "train"), 0),
        "parameters": record.metrics.get("params/total", 0),
    }
    shown += [(words["tiles"][key], words.number(value)) for key, value in numbers.items() if value]
    took = run_facts.took(record)
    return shown + ([(words["tiles"]["time"], words.duration(took))] if took else [])


def training_rows(record: StoredRun, words: Words) -> Rows:
    """The network and how it was trained."""
    params = record.params
    planned = params.get("trainer.max_epochs", "?")
    return _labelled(
        words,
        {
            "network": run_facts.network(record),
            "parameters": _parameters(record, words),
            "loss": run_facts.described(record, "model.loss"),
            "optimizer": run_facts.optimizer(record),
            "schedule": run_facts.described(record, "model.lr_scheduler"),
            "epochs": words["values"]["epochs"].format(
                done=run_facts.num_epochs(record), planned=planned
            ),
            "batch": params.get("data.batch_size", ""),
            "precision": params.get("trainer.precision", ""),
            "seed": params.get("seed_everything", ""),
        },
    )


def data_rows(record: StoredRun, words: Words, splits: Sequence[Split]) -> Rows:
    """What it was trained on."""
    names = class_names(splits)
    shown = ", ".join(names[:SHOWN_NAMES])
    if len(names) > SHOWN_NAMES:
        shown += "; " + words["values"]["more"].format(number=len(names) - SHOWN_NAMES)
    side = record.params.get("data.image_size", "")
    return _labelled(
        words,
        {
            "data": run_facts.data(record),
            "image_size": words["values"]["pixels"].format(side=side) if side else "",
            "augmentation": run_facts.augmentation(record),
            "classes": shown,
        },
    )


def ended_rows(record: StoredRun, words: Words) -> Rows:
    """When, how long and on what it ran, and how that ended."""
    info, took = record.run.info, run_facts.took(record)
    return _labelled(
        words,
        {
            "started": words.date(info.start_time),
            "took": words.duration(took) if took else "",
            "device": run_facts.environment(record).get("device", ""),
            "state": words["states"].get(info.status, info.status),
        },
    )


def code_rows(record: StoredRun, words: Words) -> Rows:
    """What it ran with."""
    commit = record.tags.get(COMMIT, "")
    if commit and record.tags.get(CHANGED) == "yes":
        commit += f" ({words['values']['uncommitted']})"
    found = run_facts.environment(record)
    return _labelled(
        words,
        {
            "commit": commit,
            "python": found.get("python", ""),
            "packages": found.get("packages", ""),
        },
    )


def _parameters(record: StoredRun, words: Words) -> str:
    total, free = (record.metrics.get(f"params/{name}", 0) for name in ("total", "trainable"))
    if not total:
        return ""
    text = words["values"]["all_train" if free == total else "parameters"]
    return text.format(total=words.number(total), trainable=words.number(free))


def _labelled(words: Words, values: dict[str, str]) -> Rows:
    return [(words["facts"][key], value) for key, value in values.items() if value]
