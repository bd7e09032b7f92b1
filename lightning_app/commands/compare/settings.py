"""Settings, code and datasets that differ between runs."""

from lightning_app.commands.compare.comparison import Comparison
from lightning_app.pages.words import UNKNOWN, Words
from lightning_app.store.describe_run import COMMIT, splits_of
from lightning_app.store.parameters import affects_training
from lightning_app.store.predictions import EvaluatedImages
from lightning_app.store.stored_run import StoredRun

COMMIT_LENGTH = 8

Differences = list[tuple[str, list[str]]]  # a setting, and its value in each run


def different_settings(comparison: Comparison, words: Words) -> Differences:
    """Settings that are not the same in all runs, then the commit and the images if they differ.

    A dash marks a setting that a run does not have.
    """
    records = comparison.records
    keys = sorted({key for record in records for key in record.params if affects_training(key)})
    rows = [(key, [record.params.get(key, UNKNOWN) for record in records]) for key in keys]
    rows.append((words["facts"]["commit"], [_commit(record) for record in records]))
    digests = [{split.name: split.digest for split in splits_of(record)} for record in records]
    texts = words["comparison"]["settings"]
    for split in dict.fromkeys(name for of_run in digests for name in of_run):
        values = [of_run.get(split, UNKNOWN) for of_run in digests]
        rows.append((texts["images"].format(split=words["splits"].get(split, split)), values))
    # A run may have been scored on other images than those that its fit has stored.
    label = texts["scored"].format(split=words["splits"][comparison.split])
    rows.append((label, [_scored(scored, words) for scored in comparison.predictions.evaluated]))
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _commit(record: StoredRun) -> str:
    return record.tags.get(COMMIT, UNKNOWN)[:COMMIT_LENGTH]


def _scored(scored: EvaluatedImages, words: Words) -> str:
    value = words["comparison"]["settings"]["scored_value"]
    return value.format(number=words.number(scored.images), digest=scored.digest)
