"""Results of a cross-validation on the console, and as Markdown."""

from collections.abc import Iterator
from typing import Any

from mlflow.entities import Run

from lightning_app.cli.summary import CLI
from lightning_app.commands.folds.results import MEAN, FoldResults
from lightning_app.output.console import Column, print_table
from lightning_app.store.describe_run import OUT_OF_FOLD
from lightning_app.store.locations import artifact_location

POINTS = 100
HEAD = ("network", "images", "accuracy", "95 %", "test accuracy")


def print_results(results: FoldResults) -> None:
    """Print the table in percent, and what the ensemble gains."""
    print_table(
        [Column(HEAD[0]), *(Column(name, "right") for name in HEAD[1:])], list(_rows(results))
    )
    for line in _sentences(results):
        print(line)


def print_next(run: Run, complete: bool) -> None:
    """Print where the predictions are, and the commands that take the run.

    Args:
        run: The parent run.
        complete: Whether it has the ensemble of all networks.
    """
    print(f"Out of fold {artifact_location(run, f'predictions/{OUT_OF_FOLD}.csv')}")
    print(f'Suspects    {CLI} suspects --predictions "{run.info.run_name}"')
    if complete:
        print(f'Predict     {CLI} predict --ckpt_path "{run.info.run_name}" --data.predict DIR')


def markdown(results: FoldResults) -> str:
    """The table in percent, and what the ensemble gains."""
    lines = [HEAD, ("---", *["--:"] * (len(HEAD) - 1)), *_rows(results)]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return "\n".join([table, *(f"{line}\n" for line in _sentences(results))])


def _rows(results: FoldResults) -> Iterator[tuple[str, ...]]:
    columns = results.columns()
    for name, images, accuracy, low, high, test in zip(*columns.values(), strict=True):
        interval = "" if low is None else f"{_percent(low)} to {_percent(high)}"
        count = "" if images is None else f"{images:,}"
        yield (name, count, _percent(accuracy), interval, _percent(test))


def _sentences(results: FoldResults) -> Iterator[str]:
    yield (
        "The interval of the mean is over networks (Student's t), that of the out-of-fold "
        "predictions over images (Wilson)."
    )
    for name, test in results.gains:
        against = "the mean of its networks" if name == MEAN else f"{name}, the best in validation"
        ends = " to ".join(f"{POINTS * end:+.1f}" for end in (test.low, test.high))
        yield (
            f"Ensemble against {against}, on {results.test_images:,} test images: "
            f"{POINTS * test.difference:+.1f} points (95 % {ends}, p = {test.p_value:.3f})."
        )


def _percent(share: Any) -> str:
    return "" if share is None else f"{POINTS * share:.1f}"
