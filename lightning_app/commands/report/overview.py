"""Overview of a run in its report: tiles with key numbers, and tables of facts."""

from collections.abc import Sequence

from lightning_app.pages.words import Words
from lightning_app.store import describe_run
from lightning_app.store.copy_scores import copy_scores
from lightning_app.store.corruption_scores import corruption_scores
from lightning_app.store.describe_run import CHANGED, COMMIT, SplitSummary, class_names_of
from lightning_app.store.little_learned import little_learned
from lightning_app.store.run_scores import Result
from lightning_app.store.stored_run import StoredRun

SHOWN_NAMES = 12  # classes

Rows = list[tuple[str, str]]  # label and value


def tiles(
    stored_run: StoredRun, words: Words, splits: Sequence[SplitSummary], results: Sequence[Result]
) -> Rows:
    """Key numbers: scores, sizes and training time."""
    shown: Rows = []
    for result in results[:1]:
        split = place_of(result, words)
        for metric, score in result.scores.items():
            if metric.kind != "loss":
                shown.append((words.metric(metric, split), words.percent(score.value, 1)))
    numbers = {
        "classes": len(class_names_of(splits)),
        "images": next((split.images for split in splits if split.name == "train"), 0),
        "parameters": stored_run.metrics.get("params/total", 0),
    }
    shown += [
        (words["tiles"][key], _short(value, words)) for key, value in numbers.items() if value
    ]
    duration = describe_run.training_time(stored_run)
    return shown + ([(words["tiles"]["time"], words.duration(duration))] if duration else [])


def _short(value: float, words: Words) -> str:
    """A number that fits into a tile: 11,179,590 as 11.2 M."""
    return words.number(value) if value < 1e7 else f"{value / 1e6:,.1f} M"


def place_of(result: Result, words: Words) -> str:
    """What a score is of: split and checkpoint, and the dataset if it is not that of the run.

    As `test, best (epoch 11)`, or `test, best (epoch 11), ImageFolder, other_photographs`.
    """
    parts = [words["splits"][result.split], result.checkpoint, result.dataset]
    return ", ".join(filter(None, parts))


def training_rows(stored_run: StoredRun, words: Words) -> Rows:
    """The network and how it was trained."""
    params = stored_run.params
    planned = params.get("trainer.max_epochs", "?")
    members = stored_run.tags.get(describe_run.MEMBERS, "")
    return _labelled(
        words,
        {
            "network": describe_run.describe_object(stored_run, "model.backbone"),
            "members": members,
            "parameters": _parameters(stored_run, words),
            "loss": describe_run.describe_object(stored_run, "model.loss"),
            "optimizer": describe_run.describe_optimizer(stored_run),
            "schedule": describe_run.describe_object(stored_run, "model.lr_scheduler"),
            "epochs": ""
            if members
            else words["values"]["epochs"].format(
                done=describe_run.num_epochs(stored_run), planned=planned
            ),
            "learned": _little_learned(stored_run, words),
            "batch": params.get("data.batch_size", ""),
            "precision": params.get("trainer.precision", ""),
            "seed": params.get("seed_everything", ""),
        },
    )


def data_rows(stored_run: StoredRun, words: Words, splits: Sequence[SplitSummary]) -> Rows:
    """The dataset and its preparation."""
    names = class_names_of(splits)
    shown = ", ".join(names[:SHOWN_NAMES])
    if len(names) > SHOWN_NAMES:
        shown += "; " + words["values"]["more"].format(number=len(names) - SHOWN_NAMES)
    side = stored_run.params.get("data.image_size", "")
    return _labelled(
        words,
        {
            "data": describe_run.describe_dataset(stored_run),
            "image_size": words["values"]["pixels"].format(side=side) if side else "",
            "augmentation": describe_run.describe_augmentation(stored_run),
            "classes": shown,
        },
    )


def ended_rows(stored_run: StoredRun, words: Words) -> Rows:
    """Start, duration, time of the pictures in it, device and end state."""
    info, duration = stored_run.run.info, describe_run.duration(stored_run)
    pictures = describe_run.picture_time(stored_run)
    return _labelled(
        words,
        {
            "started": words.date(info.start_time),
            "took": words.duration(duration) if duration else "",
            "pictures": words.duration(pictures) if pictures else "",
            "device": describe_run.environment(stored_run).get("device", ""),
            "memory": words.memory(*describe_run.peak_memory(stored_run)),
            "state": words["states"].get(info.status, info.status),
        },
    )


def code_rows(stored_run: StoredRun, words: Words) -> Rows:
    """Versions of the code and its packages."""
    commit = stored_run.tags.get(COMMIT, "")
    if commit and stored_run.tags.get(CHANGED) == "yes":
        commit += f" ({words['values']['uncommitted']})"
    environment = describe_run.environment(stored_run)
    return _labelled(
        words,
        {
            "commit": commit,
            "python": environment.get("python", ""),
            "packages": environment.get("packages", ""),
        },
    )


def copy_notes(stored_run: StoredRun, words: Words) -> list[str]:
    """A sentence on each split that has copies of training images: the accuracy without them."""
    return [
        words["numbers"]["copies"].format(
            split=words["splits"][found.split],
            images=words.number(found.images),
            copies=words.number(found.copies),
            **{
                key: words["numbers"]["with_interval"].format(
                    value=words.percent(score.value), interval=words.interval(score.low, score.high)
                )
                for key, score in (("all", found.with_copies), ("rest", found.without_copies))
            },
        )
        for found in copy_scores(stored_run)
    ]


def shortcut_notes(stored_run: StoredRun, words: Words) -> list[str]:
    """A sentence on each border or corner without which the network is much less accurate."""
    texts, worst = words["shortcuts"], {}
    rows = stored_run.table("tables/shortcuts_val.json")
    for row in sorted(rows, key=lambda row: row["accuracy without"]):
        if row["costly"]:
            worst.setdefault(row["part"], row)
    return [
        texts["costly"].format(
            part=texts["parts"][part],
            how=texts[row["how"]],
            before=words.percent(row["accuracy as it is"], 0),
            after=words.percent(row["accuracy without"], 0),
        )
        for part, row in worst.items()
    ]


def corruption_notes(stored_run: StoredRun, words: Words) -> list[str]:
    """A sentence on each test with corrupted images: what they cost, and which are the worst."""
    return [
        words["numbers"]["corrupted"].format(
            split=words["splits"][found.split],
            images=words.number(found.images),
            clean=words.percent(found.clean),
            accuracy=words.percent(found.accuracy),
            loss=words.percent(found.relative_loss),
            worst=found.worst.replace("_", " "),
            worst_accuracy=words.percent(found.worst_accuracy),
        )
        for found in corruption_scores(stored_run)
    ]


def _parameters(stored_run: StoredRun, words: Words) -> str:
    total, trainable = (
        stored_run.metrics.get(f"params/{name}", 0) for name in ("total", "trainable")
    )
    if not total:
        return ""
    text = words["values"]["all_train" if trainable == total else "parameters"]
    return text.format(total=words.number(total), trainable=words.number(trainable))


def _little_learned(stored_run: StoredRun, words: Words) -> str:
    splits = describe_run.splits_of(stored_run)
    counts = [*splits[0].counts.values()] if splits else []
    found = little_learned(stored_run.metrics, counts, stored_run.params)
    if found is None:
        return ""
    reached, frequent = (words.percent(share, 0) for share in found)
    return words["values"]["little_learned"].format(accuracy=reached, frequent=frequent)


def _labelled(words: Words, values: dict[str, str]) -> Rows:
    return [(words["facts"][key], value) for key, value in values.items() if value]
