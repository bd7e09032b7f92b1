from dataclasses import replace

import pytest

from lightning_app.store.describe_run import splits_of
from lightning_app.store.evaluations import evaluations_of, without_repetitions
from lightning_app.store.run_scores import latest_results, results_of, worst_classes
from lightning_app.store.stored_run import open_stored_run
from models.evaluation.wilson import wilson


@pytest.fixture
def results(client):
    """Read the scores of a run, by split, and by the names of the metrics."""

    def read(run_id):
        with open_stored_run(client, client.get_run(run_id)) as record:
            found = results_of(record, splits_of(record))
        return {each.split: {m.name: score for m, score in each.scores.items()} for each in found}

    return read


def test_scores_are_all_metrics_that_were_logged(make_run, results):
    logged = {"accuracy": 0.5, "top5_accuracy": 0.75, "f1_macro": 0.25, "loss": 2.0}
    run_id = make_run(metrics={f"val/{name}": value for name, value in logged.items()})
    found = results(run_id)
    assert {name: score.value for name, score in found["val"].items()} == logged
    assert list(found) == ["val"]


def test_splits_have_the_same_metrics(make_run, results):
    found = results(make_run(metrics={"test/accuracy": 0.5, "val/accuracy": 0.5, "val/loss": 1}))
    assert list(found["test"]) == list(found["val"]) == ["accuracy", "loss"]
    assert found["test"]["loss"].value != found["test"]["loss"].value  # NaN


def evaluated(**columns):
    """The table `evaluations`."""
    rest = {"images": 20, "seen": 0, "digest": "a", "settings": "b", "time": 1}
    size = len(columns["split"])
    return {"evaluations": columns | {name: [value] * size for name, value in rest.items()}}


def test_validation_is_of_the_checkpoint_that_was_tested(make_run, client):
    table = evaluated(
        split=["val", "test"], checkpoint=["last", "best"], epoch=[2, 1], accuracy=[0.6, 0.7]
    )
    run_id = make_run(metrics={"test/accuracy": 0.7}, tables=table)
    for epoch, accuracy in enumerate((0.5, 0.75, 0.6)):
        client.log_metric(run_id, "val/accuracy", accuracy, step=epoch)
    with open_stored_run(client, client.get_run(run_id)) as record:
        found = [results_of(record, []), latest_results(record, [])]
    of_same, latest = [
        [(r.split, r.checkpoint, *(s.value for s in r.scores.values())) for r in results]
        for results in found
    ]
    assert of_same == [("test", "best (epoch 1)", 0.7), ("val", "best (epoch 1)", 0.75)]
    assert latest == [("test", "best (epoch 1)", 0.7), ("val", "last (epoch 2)", 0.6)]


def test_repeated_evaluations_are_listed_once(make_run, client):
    names = ["last", "best", "best"]
    table = evaluated(split=["val", "test", "test"], checkpoint=names, epoch=[2, 1, 1])
    run_id = make_run(tables=table)
    with open_stored_run(client, client.get_run(run_id)) as record:
        found = evaluations_of(record)
    assert [each.split for each in without_repetitions(found)] == ["val", "test"]
    other = [replace(found[1], settings="c"), replace(found[2], digest="")]
    assert len(without_repetitions([*found, *other])) == 4


def test_shares_of_images_have_an_interval_and_other_scores_need_a_table(
    make_run, add_split, results
):
    names = ("accuracy", "top5_accuracy", "f1_macro", "loss")
    run_id = make_run(metrics={f"test/{name}": 0.75 for name in names})
    add_split(run_id, "test", {"cat": 30, "dog": 70})
    found = results(run_id)["test"]
    for name in ("accuracy", "top5_accuracy"):
        assert (found[name].low, found[name].high) == wilson(0.75, 100)
    assert found["f1_macro"].low != found["f1_macro"].low  # NaN
    assert found["loss"].low != found["loss"].low


def test_scores_of_classes_are_read_from_a_table_of_an_earlier_version(make_run, client):
    scores = {"precision": [0.5], "recall": [0.25], "f1": [1 / 3], "support": [4]}
    table = {"class": ["cat"], **scores, "accuracy": [0.8], "accuracy_low": [0.7]}
    run_id = make_run(tables={"per_class_test": table})
    with open_stored_run(client, client.get_run(run_id)) as record:
        split, [row] = worst_classes(record)
    assert (split, row["class"], row["recall"]) == ("test", "cat", 0.25)
