"""`lightning_app.compare`: two runs, image by image, with a significance test."""

import warnings
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from torch import Tensor

from lightning_app.api.figures import Figures
from lightning_app.api.loading import as_run
from lightning_app.api.run import Run
from lightning_app.api.splits import check_split
from lightning_app.commands.compare import comparison as commands
from lightning_app.commands.compare.figures import plot_pair, shown_images
from lightning_app.commands.compare.images import read_images
from lightning_app.commands.compare.settings import different_settings
from lightning_app.pages.words import Words, p_value, points
from lightning_app.store.predictions import COMMANDS
from lightning_app.store.runs import open_store
from lightning_app.store.stored_run import StoredRun, open_stored_run

# By whether the first run is correct, then the second.
CHANGES = ("both wrong", "fixed", "broken", "both correct")


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Two runs on the same images.

    Attributes:
        names: Names of the first and of the second run.
        split: The images: `test` or `val`.
        difference: Accuracy of the second run less that of the first, in [-1, 1].
        low: Lower end of its 95 % interval.
        high: Upper end of its 95 % interval.
        p_value: McNemar's exact test (1947) that the two are equally accurate.
        table: One row per image: image, label, predicted and confidence of both runs, and change:
            `fixed`, `broken`, `both correct` or `both wrong`.
        settings: Settings that differ, one row each, one column per run.
        figures: Differences by class, the difference of the confusion matrices, and the images
            that were fixed or broken.
    """

    names: tuple[str, str]
    split: str
    difference: float
    low: float
    high: float
    p_value: float
    table: pd.DataFrame
    settings: pd.DataFrame
    figures: Figures

    def __repr__(self) -> str:
        counts = self.table["change"].value_counts()
        first, second = (self._accuracy(column) for column in ("predicted", "predicted_other"))
        return (
            f"{self.names[1]} against {self.names[0]}, on {len(self.table):,} {self.split} images\n"
            f"  accuracy {first:.1%} to {second:.1%}: {points(self.difference)} points "
            f"[{points(self.low)}, {points(self.high)}], "
            f"McNemar {p_value(self.p_value, 'p ')} (exact)\n"
            f"  {', '.join(f'{change} {counts.get(change, 0):,}' for change in CHANGES)}"
        )

    def _repr_html_(self) -> str:
        """The summary and the figures, which is what notebooks ask for."""
        settings = self.settings.to_html()
        return f"<pre>{escape(repr(self))}</pre>\n{settings}\n{self.figures._repr_html_()}"

    def _accuracy(self, column: str) -> float:
        return float(np.mean(self.table[column].to_numpy() == self.table["label"].to_numpy()))


def compare(
    run: Run | str | Path,
    other: Run | str | Path,
    split: Literal["test", "val"] | None = None,
    num_images: int = 20,
) -> Comparison:
    """Compare a run with another, image by image.

    Images are joined by their names and labels; those that only one run has are left out. Both
    runs need predictions of the same split: `evaluate` stores them.

    Args:
        run: The run to compare with: a run of `fit` or `load`; or what `load` takes.
        other: The run that is compared.
        split: The images; None for the test images if both runs were tested, else validation.
        num_images: Images in the sheets of those that were fixed or broken.

    Returns:
        Accuracies, their difference with a significance test, a table and figures.

    Raises:
        ValueError: If there is no such run or split, both are the same, a run has no predictions,
            the two have no image in common, or `num_images` is not positive.

    Example:
        >>> comparison = lightning_app.compare(run, lightning_app.evaluate(other))
        >>> comparison.difference, comparison.p_value
        (0.0111, 0.4240)
        >>> comparison.table.query("change == 'broken'")
        >>> comparison.figures["confusion"]
    """
    if split is not None:
        check_split(split, [*COMMANDS])
    if num_images < 1:
        raise ValueError(f"Expected num_images to be 1 or more, got {num_images}.")
    first, second = as_run(run), as_run(other)
    if first.id == second.id:
        raise ValueError(f"Expected two different runs, got {first.name!r} twice.")
    with ExitStack() as stack:
        records = [stack.enter_context(_stored(one)) for one in (first, second)]
        remedy = f"`lightning_app.evaluate(run, {split or 'test'!r})` makes them."
        found = commands.compare_runs(records, split, remedy)
        return _summary(found, num_images)


def _stored(run: Run) -> AbstractContextManager[StoredRun]:
    client = open_store(run.root)
    return open_stored_run(client, client.get_run(run.id))


def _summary(found: commands.Comparison, num_images: int) -> Comparison:
    words, [pair] = Words("en"), found.pairs
    test, settings = pair.test, dict(different_settings(found, words))
    return Comparison(
        (found.names[0], found.names[1]),
        found.split,
        test.difference,
        test.low,
        test.high,
        test.p_value,
        _table(found),
        pd.DataFrame.from_dict(settings, orient="index", columns=pd.Index(found.names)),
        Figures(plot_pair(found, pair, _images(found, num_images), num_images)),
    )


def _table(found: commands.Comparison) -> pd.DataFrame:
    shared = found.predictions
    first, second = shared.predicted == shared.labels
    return pd.DataFrame(
        {
            "image": shared.images,
            "label": shared.labels,
            "predicted": shared.predicted[0],
            "confidence": shared.confidence[0],
            "predicted_other": shared.predicted[1],
            "confidence_other": shared.confidence[1],
            "change": np.array(CHANGES)[first * 2 + second * 1],
        }
    )


def _images(found: commands.Comparison, num_images: int) -> dict[str, Tensor]:
    """Images of the sheets; none, with a warning, if they are not where they were."""
    names = shown_images(found, num_images)
    try:
        return read_images(found.records[0], found.split, names) if names else {}
    except Exception as error:  # whatever a datamodule raises: the comparison needs no images
        warnings.warn(
            f"No sheets of images: those of {found.names[0]!r} cannot be read again: {error}",
            stacklevel=4,
        )
        return {}
