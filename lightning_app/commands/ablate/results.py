"""Results of an ablation: the finished runs of each variation, compared with the base."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lightning_app.commands.ablate.variation_result import VariationResult
from lightning_app.store.course import read_course
from lightning_app.store.describe_run import class_names_of, peak_memory, splits_of
from lightning_app.store.predictions import SplitName, read_predictions
from lightning_app.store.stored_run import StoredRun

EXCLUDED = "data.options.exclude_classes"  # parameter of a run


@dataclass(frozen=True)
class AblationResults:
    """All variations that have a finished run, the base first.

    Attributes:
        split: Images on which they are compared.
        rows: The result of each variation; a variation that was trained without some classes has a
            second one, on the images of the other classes.
        class_names: Classes in the order of the network's outputs.
        notes: Variations that were scored on other images than the base.
    """

    split: SplitName
    rows: list[VariationResult]
    class_names: list[str]
    notes: list[str]

    @property
    def variations(self) -> list[VariationResult]:
        """The rows that are about all images, one per variation."""
        return [row for row in self.rows if not row.part]

    @property
    def goal(self) -> float:
        """Validation accuracy whose first epoch is compared; see `Course.goal`."""
        return self.rows[0].course.goal


def compare_variations(
    finished: Sequence[tuple[str, int, StoredRun]], split: SplitName
) -> AblationResults:
    """Score the variations, each on the images that it shares with the base.

    Args:
        finished: Variation, seed and run, in the order of the plan; the first variation is the
            base.
        split: Images on which to compare.

    Raises:
        ValueError: If the runs of the base share no image.
    """
    runs: dict[str, list[tuple[int, StoredRun]]] = {}
    for name, seed, record in finished:
        runs.setdefault(name, []).append((seed, record))
    base, notes = next(iter(runs.values())), []
    rows: list[VariationResult] = []
    for name, own in runs.items():
        try:
            result = _compare(name, own, base, split)
        except ValueError as error:
            if own is base:
                raise
            notes.append(f"{name}: {error}")
            continue
        rows += [row for row in (result, result.on_known_classes()) if row]
        notes += _notes(result, rows[0])
    return AblationResults(split, rows, class_names_of(splits_of(finished[0][2])), notes)


def _notes(result: VariationResult, base: VariationResult) -> Iterator[str]:
    if result.left_out:
        yield (
            f"{result.name}: {result.left_out} images are left out because either it or the base "
            "was not scored on them."
        )
    if result.validated_on != base.validated_on:
        yield (
            f"{result.name}: validated on other images than the base, so its epochs and its "
            "validation loss cannot be compared."
        )


def _compare(
    name: str, own: list[tuple[int, StoredRun]], base: list[tuple[int, StoredRun]], split: SplitName
) -> VariationResult:
    is_base, records = own is base, [record for _, record in own]
    others = [] if is_base else [record for _, record in base]
    shared = read_predictions([*records, *others], split)
    metrics = records[0].metrics
    return VariationResult(
        name,
        [seed for seed, _ in own],
        shared.labels,
        shared.predicted[: len(records)],
        shared.correct if is_base else shared.correct[len(records) :],
        shared.left_out,
        read_course(records),
        next((s.digest for s in splits_of(records[0]) if s.name == "val"), ""),
        max(peak_memory(record)[0] for record in records),
        int(metrics.get("params/total", 0)),
        int(metrics.get("params/trainable", 0)),
        ast.literal_eval(records[0].params.get(EXCLUDED, "[]")),
        is_base,
    )
