"""What differs in the configuration, the code and the data of runs."""

from collections.abc import Sequence

from lightning_app.report.facts import splits_of
from lightning_app.report.overview import COMMIT
from lightning_app.report.record import Record
from lightning_app.report.words import UNKNOWN, Words

# Where a run is kept and what is drawn of it change nothing that it learns.
SILENT = (
    *("trainer.logger", "trainer.default_root_dir", "trainer.enable_progress_bar", "ckpt_path"),
    *("best_checkpoint.dirpath", "last_checkpoint.dirpath", "pictures", "predictions", "report"),
    "data.options.origin",
)
COMMIT_LENGTH = 8

Differences = list[tuple[str, list[str]]]  # a setting, and its value in each run


def different_settings(records: Sequence[Record], words: Words) -> Differences:
    """Settings that are not the same in all runs, then the code and the images if these differ.

    A dash stands where a run has no such setting.
    """
    keys = sorted({key for record in records for key in record.params if not _is_silent(key)})
    rows = [(key, [record.params.get(key, UNKNOWN) for record in records]) for key in keys]
    rows.append((words["facts"]["commit"], [_commit(record) for record in records]))
    digests = [{split.name: split.digest for split in splits_of(record)} for record in records]
    label = words["comparison"]["settings"]["images"]
    for split in dict.fromkeys(name for of_run in digests for name in of_run):
        values = [of_run.get(split, UNKNOWN) for of_run in digests]
        rows.append((label.format(split=words["splits"].get(split, split)), values))
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _is_silent(key: str) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in SILENT)


def _commit(record: Record) -> str:
    return record.tags.get(COMMIT, UNKNOWN)[:COMMIT_LENGTH]
