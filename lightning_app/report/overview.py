"""The rows and tiles that say what a run was."""

from collections.abc import Sequence

from lightning_app.report import facts
from lightning_app.report.facts import Split, class_names
from lightning_app.report.record import Record
from lightning_app.report.scores import Result
from lightning_app.report.words import Words

SHOWN_NAMES = 12  # of classes
COMMIT, CHANGED = "mlflow.source.git.commit", "git.uncommitted_changes"

Rows = list[tuple[str, str]]  # label and value


def tiles(record: Record, words: Words, splits: Sequence[Split], results: Sequence[Result]) -> Rows:
    """The numbers that one looks for first."""
    shown: Rows = []
    for result in results[:1]:
        split = words["splits"][result.split]
        for name, score in result.scores.items():
            shown.append((words["tiles"][name].format(split=split), words.percent(score.value, 1)))
    numbers = {
        "classes": len(class_names(splits)),
        "images": next((split.images for split in splits if split.name == "train"), 0),
        "parameters": record.metrics.get("params/total", 0),
    }
    shown += [(words["tiles"][key], words.number(value)) for key, value in numbers.items() if value]
    took = facts.took(record)
    return shown + ([(words["tiles"]["time"], words.duration(took))] if took else [])


def training_rows(record: Record, words: Words) -> Rows:
    """The network and how it was trained."""
    params = record.params
    planned = params.get("trainer.max_epochs", "?")
    return _labelled(
        words,
        {
            "network": facts.network(record),
            "parameters": _parameters(record, words),
            "loss": facts.described(record, "model.loss"),
            "optimizer": facts.optimizer(record),
            "schedule": facts.described(record, "model.lr_scheduler"),
            "epochs": words["values"]["epochs"].format(
                done=facts.num_epochs(record), planned=planned
            ),
            "batch": params.get("data.batch_size", ""),
            "precision": params.get("trainer.precision", ""),
            "seed": params.get("seed_everything", ""),
        },
    )


def data_rows(record: Record, words: Words, splits: Sequence[Split]) -> Rows:
    """What it was trained on."""
    names = class_names(splits)
    shown = ", ".join(names[:SHOWN_NAMES])
    if len(names) > SHOWN_NAMES:
        shown += "; " + words["values"]["more"].format(number=len(names) - SHOWN_NAMES)
    side = record.params.get("data.image_size", "")
    return _labelled(
        words,
        {
            "data": facts.data(record),
            "image_size": words["values"]["pixels"].format(side=side) if side else "",
            "augmentation": facts.augmentation(record),
            "classes": shown,
        },
    )


def ended_rows(record: Record, words: Words) -> Rows:
    """When, how long and on what it ran, and how that ended."""
    info, took = record.run.info, facts.took(record)
    return _labelled(
        words,
        {
            "started": words.date(info.start_time),
            "took": words.duration(took) if took else "",
            "device": facts.environment(record).get("device", ""),
            "state": words["states"].get(info.status, info.status),
        },
    )


def code_rows(record: Record, words: Words) -> Rows:
    """What it ran with."""
    commit = record.tags.get(COMMIT, "")
    if commit and record.tags.get(CHANGED) == "yes":
        commit += f" ({words['values']['uncommitted']})"
    found = facts.environment(record)
    return _labelled(
        words,
        {
            "commit": commit,
            "python": found.get("python", ""),
            "packages": found.get("packages", ""),
        },
    )


def _parameters(record: Record, words: Words) -> str:
    total, free = (record.metrics.get(f"params/{name}", 0) for name in ("total", "trainable"))
    if not total:
        return ""
    text = words["values"]["all_train" if free == total else "parameters"]
    return text.format(total=words.number(total), trainable=words.number(free))


def _labelled(words: Words, values: dict[str, str]) -> Rows:
    return [(words["facts"][key], value) for key, value in values.items() if value]
