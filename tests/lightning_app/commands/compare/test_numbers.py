from contextlib import ExitStack

import pytest

from lightning_app.commands.compare.numbers import number_rows
from lightning_app.pages.words import UNKNOWN, Words
from lightning_app.store.stored_run import open_stored_run


@pytest.fixture
def numbers_of(client):
    """The values of a run by their labels, in English."""

    def read(run_id):
        with open_stored_run(client, client.get_run(run_id)) as record:
            return {label: row[0] for label, row in number_rows([record], Words("en"))}

    return read


def test_time_of_an_epoch_is_the_median_so_that_a_slow_one_does_not_count(
    make_run, client, numbers_of
):
    run_id = make_run()
    for epoch, seconds in enumerate((2.5, 2.0, 90.0)):
        client.log_metric(run_id, "time/epoch", seconds, step=epoch)
        client.log_metric(run_id, "train/loss", 1.0, step=epoch)
    numbers = numbers_of(run_id)
    assert numbers["time per epoch"].value == "2.5 s"
    assert numbers["epochs"].value == "3"


@pytest.mark.parametrize(
    ("tag", "shown"), [("GPU", "2,345 MiB (GPU)"), ("process", "2,345 MiB (process)")]
)
def test_peak_memory_is_the_largest_and_says_whose_it_is(make_run, client, numbers_of, tag, shown):
    run_id = make_run()
    client.set_tag(run_id, "memory.of", tag)
    for epoch, peak in enumerate((800.4, 2345.4, 1000.0)):  # resumed after epoch 1
        client.log_metric(run_id, "memory/peak", peak, step=epoch)
    assert numbers_of(run_id)["peak memory"].value == shown


def test_lowest_accuracy_of_a_group_is_of_the_checkpoint_whose_scores_are_shown(
    make_run, client, numbers_of
):
    ends = {"checkpoint": ["last", "best"], "epoch": [2, 1], "accuracy": [0.6, 0.7]}
    rest = {"images": [20, 20], "seen": [0, 0], "digest": ["a", "a"], "settings": ["b", "b"]}
    table = {"split": ["val", "test"], **ends, **rest, "time": [1, 1]}
    run_id = make_run(metrics={"test/accuracy": 0.7}, tables={"evaluations": table})
    for epoch, (accuracy, worst) in enumerate(((0.5, 0.1), (0.75, 0.25), (0.6, 0.4))):
        client.log_metric(run_id, "val/accuracy", accuracy, step=epoch)
        client.log_metric(run_id, "val/worst_group_accuracy", worst, step=epoch)
    client.log_metric(run_id, "test/worst_group_accuracy", 0.3, step=0)
    numbers = numbers_of(run_id)
    [validation] = [n.value for label, n in numbers.items() if "group" in label and "val" in label]
    [tested] = [n.value for label, n in numbers.items() if "group" in label and "test" in label]
    assert (validation, tested) == ("25.00 %", "30.00 %")


def test_run_without_measured_memory_has_no_row_of_it(make_run, numbers_of):
    assert "peak memory" not in numbers_of(make_run())


def test_epochs_to_the_goal_and_rises_are_compared_with_the_first_run(make_run, client):
    histories = {"base": ([0.5, 0.9, 1.0], [1, 3, 0.5]), "slow": ([0.1, 0.2, 0.9], [2, 1, 1.5])}
    runs = [make_run(name=name) for name in (*histories, "never", "unknown")]
    for run_id, (accuracies, losses) in zip(runs, histories.values(), strict=False):
        for epoch, (accuracy, loss) in enumerate(zip(accuracies, losses, strict=True)):
            client.log_metric(run_id, "val/accuracy", accuracy, step=epoch)
            client.log_metric(run_id, "val/loss", loss, step=epoch)
    client.log_metric(runs[2], "val/accuracy", 0.5, step=0)
    with ExitStack() as stack:
        opened = [open_stored_run(client, client.get_run(run_id)) for run_id in runs]
        rows = dict(number_rows([*map(stack.enter_context, opened)], Words("en")))
    found = {label: [number.value for number in row] for label, row in rows.items()}
    assert found["epochs to 90 % of first run's best"] == ["2", "3", "not in 1", UNKNOWN]
    assert found["largest rise of the validation loss"] == ["2", "0.5", UNKNOWN, UNKNOWN]
    assert "largest rise of the training loss" not in found


def test_best_epoch_is_that_of_the_checkpoint(make_run, client, numbers_of):
    run_id = make_run({"best_checkpoint.monitor": "val/loss", "best_checkpoint.mode": "min"})
    for epoch, loss in enumerate((0.5, 0.25, 0.75)):
        client.log_metric(run_id, "val/loss", loss, step=epoch)
    assert numbers_of(run_id)["best epoch"].value == "1 (val/loss 0.2500)"


def test_scores_have_their_intervals(make_run, numbers_of):
    table = {"metric": ["accuracy"], "value": [0.9], "low": [0.8123], "high": [0.95]}
    run_id = make_run(metrics={"test/accuracy": 0.9}, tables={"scores_test": table})
    numbers = numbers_of(run_id)
    assert numbers["accuracy, test"] == ("90.00 %", "81.2 to 95.0")
    assert "accuracy, validation" not in numbers
