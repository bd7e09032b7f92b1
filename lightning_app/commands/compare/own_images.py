"""What has to be said where the scores of runs are not of the same images."""

from lightning_app.commands.compare.comparison import Comparison
from lightning_app.pages.words import Words
from lightning_app.store.run_facts import splits_of


def told_apart(comparison: Comparison, words: Words) -> str:
    """Which numbers of the runs are not of the same images; empty if all are."""
    notes = (_scored_apart(comparison, words), _fitted_apart(comparison, words))
    return " ".join(note for note in notes if note)


def _fitted_apart(comparison: Comparison, words: Words) -> str:
    """Whether the fits validated on different images, whose scores stand in the table as well."""
    digests = [{s.name: s.digest for s in splits_of(record)} for record in comparison.records]
    if comparison.split == "val" or len({of_run.get("val") for of_run in digests}) == 1:
        return ""
    return words["comparison"]["own_images"]["fitted"].format(split=words["splits"]["val"])


def _scored_apart(comparison: Comparison, words: Words) -> str:
    """How many images each run was scored on, and how many they share."""
    texts, answers = words["comparison"]["own_images"], comparison.answers
    if not answers.on_different_images:
        return ""
    counts = [words.number(scored.images) for scored in answers.evaluated]
    each = [
        texts["run"].format(name=name, number=number)
        for name, number in zip(comparison.names, counts, strict=True)
    ]
    return texts["told"].format(
        split=words["splits"][comparison.split],
        runs=texts["comma"].join(each),
        shared=words.number(len(answers.images)),
    )
