"""What has to be said where the scores of runs are not of the same images."""

from lightning_app.compare.comparison import Comparison
from lightning_app.report.words import Words


def told_apart(comparison: Comparison, words: Words) -> str:
    """How many images each run was scored on, and how many they share; empty if all are shared."""
    texts, answers = words["comparison"]["own_images"], comparison.answers
    if not answers.on_different_images:
        return ""
    counts = [words.number(scored.images) for scored in answers.scored]
    each = [
        texts["run"].format(name=name, number=number)
        for name, number in zip(comparison.names, counts, strict=True)
    ]
    return texts["told"].format(
        split=words["splits"][comparison.split],
        runs=texts["comma"].join(each),
        shared=words.number(len(answers.images)),
    )
