"""Sections of a model card, each from what the run has recorded; empty if it has nothing of it."""

import math
from collections.abc import Sequence

from lightning_app.cli.model_card.tables import table
from lightning_app.pages.words import Words
from lightning_app.store import describe_run
from lightning_app.store.describe_run import SplitSummary
from lightning_app.store.run_scores import SPLITS, Result, confusions
from lightning_app.store.stored_run import StoredRun

WORDS = Words("en")
MOST_ROWS = 100  # classes of a table
CALIBRATION = {
    "ece": "expected calibration error",
    "ece_scaled": "the same after temperature scaling",
    "temperature": "temperature",
    "brier": "Brier score",
    "aurc": "area under the risk-coverage curve",
    "accuracy_at_80": "accuracy of the most confident 80 % of the images",
    "accuracy_at_90": "accuracy of the most confident 90 %",
    "accuracy_at_95": "accuracy of the most confident 95 %",
    "set_coverage": "share of the prediction sets, at a level of 90 %, that have the true class",
    "set_size": "mean number of classes in these sets",
}


def data(record: StoredRun, splits: Sequence[SplitSummary]) -> str:
    """The dataset, and images, digest and classes of its splits."""
    if not splits:
        return ""
    names = describe_run.class_names_of(splits)
    of_splits = table(
        ["split", ">images", "digest"],
        [(WORDS["splits"][s.name], f"{s.images:,}", f"`{s.digest}`") for s in splits],
    )
    of_classes = table(
        ["class", *(f">{WORDS['splits'][s.name]}" for s in splits)],
        [(name, *(f"{s.counts.get(name, 0):,}" for s in splits)) for name in names[:MOST_ROWS]],
    )
    parts = [describe_run.describe_dataset(record), of_splits]
    if len(names) > MOST_ROWS:
        parts.append(
            f"The first {MOST_ROWS} of {len(names):,} classes; `tables/class_counts.json` of the "
            "run has all."
        )
    return "\n\n".join([*parts, of_classes])


def training(record: StoredRun) -> str:
    """How the network was trained."""
    side, duration = record.params.get("data.image_size"), describe_run.duration(record)
    members = record.tags.get(describe_run.MEMBERS, "")
    facts = {
        "network": describe_run.describe_object(record, "model.backbone"),
        "members": members,
        "parameters": WORDS.number(record.metrics.get("params/total", math.nan)),
        "image_size": WORDS["values"]["pixels"].format(side=side) if side else "",
        "augmentation": describe_run.describe_augmentation(record),
        "loss": describe_run.describe_object(record, "model.loss"),
        "optimizer": describe_run.describe_optimizer(record),
        "schedule": describe_run.describe_object(record, "model.lr_scheduler"),
        "epochs": "" if members else str(describe_run.num_epochs(record)),
        "batch": record.params.get("data.batch_size", ""),
        "precision": record.params.get("trainer.precision", ""),
        "seed": record.params.get("seed_everything", ""),
        "took": WORDS.duration(duration) if duration else "",
        "device": describe_run.environment(record).get("device", ""),
        "packages": describe_run.environment(record).get("packages", ""),
        "commit": record.tags.get(describe_run.COMMIT, ""),
    }
    return table(["", ""], [(WORDS["facts"][key], value) for key, value in facts.items() if value])


def scores(record: StoredRun, results: Sequence[Result]) -> str:
    """Scores of each split, with their 95 % intervals."""
    rows = [
        (
            ", ".join(filter(None, [WORDS["splits"][result.split], result.dataset])),
            f"{result.images:,}",
            result.checkpoint,
            WORDS["metrics"][metric.name],
            WORDS.value(metric, score.value),
            WORDS.interval(score.low, score.high),
        )
        for result in results
        for metric, score in result.scores.items()
    ]
    return table(["split", ">images", "checkpoint", "score", ">value", "95 % interval"], rows)


def classes(record: StoredRun) -> str:
    """Precision, recall and F1 of each class, of the test if possible."""
    for split in SPLITS:
        if rows := record.table(f"tables/per_class_{split}.json"):
            note = ""
            if (number := len(rows)) > MOST_ROWS:
                seen = [row for row in rows if row["support"] and row["f1"] is not None]
                rows = sorted(seen, key=lambda row: row["f1"])[:MOST_ROWS]
                note = (
                    f" The {MOST_ROWS} classes with the lowest F1 of {number:,}; "
                    f"`tables/per_class_{split}.json` of the run has all."
                )
            shown = [
                (
                    row["class"],
                    row["support"],
                    *(WORDS.percent(row[key], 1) for key in ("precision", "recall", "f1")),
                    WORDS.interval(row.get("f1_low"), row.get("f1_high"), 1),
                )
                for row in rows
            ]
            head = ["class", ">images", ">precision", ">recall", ">F1", "95 % interval of F1"]
            return f"Images: {WORDS['splits'][split]}.{note}\n\n{table(head, shown)}"
    return ""


def calibration(record: StoredRun) -> str:
    """Whether confidence equals accuracy."""
    rows = [
        (text, WORDS["splits"][split], f"{record.metrics[key]:.4f}")
        for split in SPLITS
        for name, text in CALIBRATION.items()
        if (key := f"{split}/{name}") in record.metrics
    ]
    return table(["", "images", ">value"], rows)


def confused(record: StoredRun) -> str:
    """The most frequent confusions."""
    split, found = confusions(record)
    rows = [(c.true, c.predicted, c.images, WORDS.percent(c.share, 1)) for c in found]
    text = table(["true class", "predicted", ">images", ">of the class"], rows)
    return f"Images: {WORDS['splits'][split]}.\n\n{text}" if text else ""


def label_errors(record: StoredRun) -> str:
    """How many labels the network calls wrong."""
    found = []
    for split in SPLITS:
        rows = record.table(f"tables/label_suspects_{split}.json")
        if likely := sum(bool(row.get("confident")) for row in rows):
            are = "label is" if likely == 1 else "labels are"
            found.append(
                f"{likely:,} {are} likely wrong by confident learning, at the evaluation on "
                f"{WORDS['splits'][split]} images (the run's `tables/label_suspects_{split}.json`)."
            )
    return "\n\n".join(found)
