"""Comparison of runs on the same images, each with the first."""

from collections.abc import Sequence
from dataclasses import dataclass

from lightning_app.commands.compare.pairs import Pair, classes_of, compare_pair, pairwise_p_values
from lightning_app.store.describe_run import class_names_of, splits_of
from lightning_app.store.locations import ROOT, folder_of
from lightning_app.store.predictions import COMMANDS, SharedPredictions, SplitName, read_predictions
from lightning_app.store.runs import name_with_id, quoted
from lightning_app.store.stored_run import StoredRun

SHOWN_CLASSES = 3


@dataclass(frozen=True, eq=False)
class Comparison:
    """Predictions of several runs for the same images.

    Attributes:
        records: The runs.
        names: Unique names of the runs.
        split: Split of the images.
        predictions: Predictions of the runs.
        class_names: Classes in the order of the networks' outputs.
        pairs: Each run but the first, compared with the first.
        p_values: Adjusted p-values of all pairs of rows; empty if there is only one pair.
    """

    records: Sequence[StoredRun]
    names: list[str]
    split: SplitName
    predictions: SharedPredictions
    class_names: list[str]
    pairs: list[Pair]
    p_values: dict[tuple[int, int], float]

    def decisive_p_value(self, pair: Pair) -> float:
        """P-value of a pair's test, adjusted if there are several pairs of runs."""
        return self.p_values.get((pair.first, pair.second), pair.test.p_value)


def compare_runs(
    records: Sequence[StoredRun], wanted: SplitName | None, remedy: str | None = None
) -> Comparison:
    """Compare all runs with the first.

    Args:
        records: Two runs or more.
        wanted: Split of the images; None for `test` if all runs were tested, else `val`.
        remedy: What to advise if predictions are missing; None for the command that makes them.

    Raises:
        ValueError: If a run has no predictions, or the runs have no class or image in common.
    """
    _check_classes(records)
    split = choose_split(records, wanted, remedy)
    predictions = read_predictions(records, split)
    known = [name for record in records for name in class_names_of(splits_of(record))]
    names = classes_of(predictions, known)
    pairs = [compare_pair(predictions, 0, row, names) for row in range(1, len(records))]
    adjusted = pairwise_p_values(predictions.correct) if len(pairs) > 1 else {}
    return Comparison(records, names_of(records), split, predictions, names, pairs, adjusted)


def _check_classes(records: Sequence[StoredRun]) -> None:
    """Refuse runs of datasets without a common class, before a missing table is blamed."""
    names = names_of(records)
    first, *others = [set(class_names_of(splits_of(record))) for record in records]
    for name, classes in zip(names[1:], others, strict=True):
        if first and classes and not first & classes:
            shown = [", ".join(sorted(some)[:SHOWN_CLASSES]) for some in (first, classes)]
            raise ValueError(
                f"{names[0]!r} and {name!r} are of different datasets, without a common class "
                f"({shown[0]} …; {shown[1]} …). `compare` shows runs on the same images."
            )


def choose_split(
    records: Sequence[StoredRun], wanted: SplitName | None, remedy: str | None = None
) -> SplitName:
    """Choose a split that all runs have predictions of, `test` before `val`.

    Raises:
        ValueError: If there is no such split.
    """
    names = names_of(records)
    lacking: dict[SplitName, list[int]] = {
        split: [
            row
            for row, record in enumerate(records)
            if f"predictions/{split}.csv" not in record.files
        ]
        for split in COMMANDS
        if wanted in (None, split)
    }
    for split, rows in lacking.items():
        if not rows:
            return split
    missing = "; ".join(
        f"{quoted(names[row] for row in rows)} without predictions/{split}.csv"
        for split, rows in lacking.items()
    )
    split, [row, *_] = next(iter(lacking.items()))
    advice = remedy or _remedy(records[row], names[row], split)
    raise ValueError(f"The runs have no predictions in common: {missing}. {advice}")


def _remedy(record: StoredRun, name: str, split: SplitName) -> str:
    """How to make the predictions that a run lacks."""
    folder = folder_of(ROOT, record.experiment, record.run)
    left = [file for end in ("best", "last") if (file := folder / f"{end}.ckpt").is_file()]
    start = f"`lightning_cli {COMMANDS[split]} --ckpt_path"
    if left:
        how = f"For {name!r}, {start} {left[0]}` makes"
    else:
        how = f"{name!r} has no checkpoint in {folder}; if you have one, {start} FILE` makes"
    return f"{how} the missing predictions."


def names_of(records: Sequence[StoredRun]) -> list[str]:
    """Unique names of runs: a name that several runs share gets the beginning of the id."""
    runs = [record.run for record in records]
    all_names = [str(run.info.run_name) for run in runs]
    return [
        name if all_names.count(name) == 1 else name_with_id(run)
        for name, run in zip(all_names, runs, strict=True)
    ]
