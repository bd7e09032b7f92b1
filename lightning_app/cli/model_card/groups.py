"""Sections of a model card on groups of images, and on the evidence inside the subject."""

from lightning_app.cli.model_card.tables import table
from lightning_app.pages.words import Words
from lightning_app.store.group_scores import hidden_of, split_of, worse_of
from lightning_app.store.stored_run import StoredRun

WORDS = Words("en")
HEAD = ["column", "group", ">images", ">accuracy", "95 % interval", ">of the rest", ">ECE", ""]
SUBJECT_HEAD = ["class", ">images", ">inside", "95 % interval", ">area", ">pointing game"]
WHAT = (
    "Columns of the dataset's table. A group is called worse if it is five points or more below "
    "the rest, and not by chance (Fisher's exact test, adjusted by Holm)."
)


def groups(record: StoredRun) -> str:
    """Accuracy and calibration error of each group, of the test if possible."""
    parts = []
    if split := split_of(record, "groups"):
        rows = record.table(f"tables/groups_{split}.json")
        shown = [
            (
                row["column"],
                row["group"],
                f"{row['images']:,}",
                WORDS.percent(row["accuracy"], 1),
                WORDS.interval(row["low"], row["high"], 1),
                WORDS.percent(row["accuracy of the rest"], 1),
                f"{row['ece']:.3f}",
                "worse" if row["worse"] else "",
            )
            for row in rows
        ]
        named = [f"{row['column']} = {row['group']}" for row in worse_of(rows)]
        tested = sum(row["p-value (Holm)"] is not None for row in rows)
        none = f"None of the {tested} groups of ten images or more is worse by more than chance."
        said = f"Worse: {', '.join(named)}." if named else none
        parts.append(f"Images: {WORDS['splits'][split]}. {WHAT} {said}\n\n{table(HEAD, shown)}")
    if split := split_of(record, "hidden_groups"):
        for said in hidden_of(record.table(f"tables/hidden_groups_{split}.json")):
            parts.append(f"A group that no column names ({WORDS['splits'][split]}): {said}")
    return "\n\n".join(parts)


def subject(record: StoredRun) -> str:
    """How much of the evidence for the prediction lies inside the box or mask of the subject."""
    if not (split := split_of(record, "subject")):
        return ""
    rows = [
        (
            row["class"],
            f"{row['images']:,}",
            WORDS.percent(row["evidence inside"], 1),
            WORDS.interval(row["low"], row["high"], 1),
            WORDS.percent(row["by chance (area)"], 1),
            WORDS.percent(row["pointing game"], 1),
        )
        for row in record.table(f"tables/subject_{split}.json")
    ]
    return (
        f"Share of Grad-CAM's evidence inside the box or mask of the subject, images: "
        f"{WORDS['splits'][split]}. By chance it is the area.\n\n{table(SUBJECT_HEAD, rows)}"
    )
