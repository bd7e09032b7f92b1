"""Sentences of a report on groups of images, and on the evidence outside of the subject."""

from collections.abc import Iterator

from lightning_app.pages.words import Words
from lightning_app.store.group_scores import GroupRow, hidden_of, split_of, worse_of
from lightning_app.store.stored_run import StoredRun

MOST_NAMED = 3  # groups and classes


def group_notes(stored_run: StoredRun, words: Words) -> list[str]:
    """Sentences on the groups for which the network is worse, and on those that no column names."""
    texts, notes = words["groups"], []
    if split := split_of(stored_run, "groups"):
        worse = worse_of(stored_run.table(f"tables/groups_{split}.json"))
        notes += [_group(row, words, split) for row in worse[:MOST_NAMED]]
    if split := split_of(stored_run, "hidden_groups"):
        said = hidden_of(stored_run.table(f"tables/hidden_groups_{split}.json"))
        notes += [texts["hidden"].format(split=words["splits"][split], said=each) for each in said]
    return notes


def subject_notes(stored_run: StoredRun, words: Words) -> list[str]:
    """Sentences on how much of the evidence is on the subject, and on classes where it is not."""
    split = split_of(stored_run, "subject")
    return list(_subject(stored_run, words, split)) if split else []


def _group(row: GroupRow, words: Words, split: str) -> str:
    texts = words["groups"]
    text = texts["worse"].format(
        group=f"{row['column']} = {row['group']}",
        correct=words.number(row["correct"]),
        images=words.number(row["images"]),
        split=words["splits"][split],
        accuracy=words.percent(row["accuracy"], 0),
        interval=words.interval(row["low"], row["high"], 0),
        rest=words.percent(row["accuracy of the rest"], 0),
    )
    if (expected := row["of the rest, with its classes"]) is None:
        return text
    gap = row["accuracy of the rest"] - row["accuracy"]
    if row["accuracy of the rest"] - expected <= gap / 2:
        return text
    return f"{text} {texts['explained'].format(expected=words.percent(expected, 0))}"


def _subject(stored_run: StoredRun, words: Words, split: str) -> Iterator[str]:
    texts = words["subject"]
    whole, *classes = stored_run.table(f"tables/subject_{split}.json")
    text = texts["inside"].format(
        inside=words.percent(whole["evidence inside"], 0),
        interval=words.interval(whole["low"], whole["high"], 0),
        split=words["splits"][split],
        area=words.percent(whole["by chance (area)"], 0),
        pointing=words.percent(whole["pointing game"], 0),
    )
    yield f"{text} {texts['chance']}" if whole["by chance"] else text
    worst = sorted(classes, key=lambda row: row["evidence inside"] - row["by chance (area)"])
    for row in [row for row in worst if row["elsewhere"]][:MOST_NAMED]:
        yield texts["elsewhere"].format(
            name=row["class"],
            inside=words.percent(row["evidence inside"], 0),
            area=words.percent(row["by chance (area)"], 0),
        )
