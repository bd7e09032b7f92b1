"""Notes on runs whose scores are not about the same images."""

from lightning_app.commands.compare.comparison import Comparison
from lightning_app.pages.words import Words
from lightning_app.store.describe_run import splits_of


def image_notes(comparison: Comparison, words: Words) -> str:
    """Which numbers of the runs are not about the same images; empty if all are."""
    notes = (_scored_on_others(comparison, words), _validated_on_others(comparison, words))
    return " ".join(note for note in notes if note)


def _validated_on_others(comparison: Comparison, words: Words) -> str:
    """Note that the fits were validated on different images: the table has those scores, too."""
    digests = [{s.name: s.digest for s in splits_of(record)} for record in comparison.records]
    if comparison.split == "val" or len({of_run.get("val") for of_run in digests}) == 1:
        return ""
    return words["comparison"]["own_images"]["fitted"].format(split=words["splits"]["val"])


def _scored_on_others(comparison: Comparison, words: Words) -> str:
    """Note how many images each run was scored on, and how many they share."""
    texts, predictions = words["comparison"]["own_images"], comparison.predictions
    if not predictions.on_different_images:
        return ""
    counts = [words.number(scored.images) for scored in predictions.evaluated]
    each = [
        texts["run"].format(name=name, number=number)
        for name, number in zip(comparison.names, counts, strict=True)
    ]
    return texts["told"].format(
        split=words["splits"][comparison.split],
        runs=texts["comma"].join(each),
        shared=words.number(len(predictions.images)),
    )
