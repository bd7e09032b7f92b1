"""Decision between a new model and the champion, by a paired test on the champion's test images."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from mlflow.entities import LoggedModel

from lightning_app.pages.words import p_value, points
from lightning_app.store.evaluations import evaluations_of, latest_evaluation
from lightning_app.store.logged_models import epoch_of
from lightning_app.store.predictions import SharedPredictions, read_predictions
from lightning_app.store.runs import name_with_id
from lightning_app.store.stored_run import StoredRun
from models.evaluation.paired_test import PairedTest, paired_test

Alias = Literal["champion", "challenger"]
TABLE = "predictions/test.csv"


class Champion(NamedTuple):
    """The present champion: its version, run and model."""

    version: str
    record: StoredRun
    model: LoggedModel


@dataclass(frozen=True)
class Decision:
    """Which alias a new version gets, and why.

    Attributes:
        alias: `champion` or `challenger`.
        reason: Why, in a sentence without a full stop.
        before: Version of the champion that it was compared with; empty if there was none.
        images: Number of test images that both have classified.
        test: Paired test of the accuracies, the new model's less the champion's.
    """

    alias: Alias
    reason: str
    before: str = ""
    images: int = 0
    test: PairedTest | None = None


def decide(
    record: StoredRun, model: LoggedModel, champion: Champion | None, margin: float, force: str = ""
) -> Decision:
    """Decide whether a model becomes the champion.

    Args:
        record: Its run.
        model: The model.
        champion: The present champion; None if there is none.
        margin: Accuracy, in [0, 1], that may be lost.
        force: Reason to make it the champion whatever the test says; empty for none.

    Raises:
        ValueError: If one of the runs was not tested, or with another checkpoint than the model's;
            or the model is the champion already.
    """
    if champion is None:
        return Decision("champion", f"forced: {force}" if force else "it is the first")
    if champion.model.model_id == model.model_id:
        raise ValueError(
            f"The model of the run {name_with_id(record.run)} is the champion already, as version "
            f"{champion.version}."
        )
    if force:
        return Decision("champion", f"forced: {force}", champion.version)
    _require_test(champion.record, champion.model)
    _require_test(record, model)
    try:
        shared = read_predictions([champion.record, record], "test")
    except ValueError as error:
        return Decision("challenger", str(error).rstrip("."), champion.version)
    return _tested(shared, champion.version, margin)


def _tested(shared: SharedPredictions, version: str, margin: float) -> Decision:
    images, whole = len(shared.images), shared.evaluated[0].images
    test = paired_test(shared.correct[[0]], shared.correct[[1]])
    found = (
        f"accuracy {points(test.difference)} percentage points against version {version} on "
        f"{images:,} test images (95 % interval {points(test.low)} to {points(test.high)}, "
        f"{p_value(test.p_value, 'p ')})"
    )
    if images < whole:
        reason = f"it was tested on {images:,} of the champion's {whole:,} test images; {found}"
        return Decision("challenger", reason, version, images, test)
    allowed = f"a loss of {100 * margin:g} points" if margin else "no loss"
    if test.low < -margin:
        lost = "that is a loss" if test.high < -margin else "a loss is not ruled out"
        reason = f"{found}: {lost}; {allowed} is allowed"
        return Decision("challenger", reason, version, images, test)
    return Decision("champion", f"{found}; {allowed} is allowed", version, images, test)


def _require_test(record: StoredRun, model: LoggedModel) -> None:
    """Check that the predictions for the test images are those of the model's checkpoint."""
    name, epoch = name_with_id(record.run), epoch_of(model)
    how = f"`lightning_cli test --ckpt_path {record.run.info.run_id}` tests it"
    if TABLE not in record.files:
        raise ValueError(f"The run {name} was not tested: it has no {TABLE}; {how}.")
    last = latest_evaluation(evaluations_of(record), "test")
    if last is not None and last.epoch != epoch:
        raise ValueError(
            f"The test predictions of the run {name} are of epoch {last.epoch}, but its model is "
            f"of epoch {epoch}; {how}."
        )
