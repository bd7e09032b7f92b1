from contextlib import ExitStack

import numpy as np
import pytest

from lightning_app.store.predictions import read_predictions
from lightning_app.store.stored_run import open_stored_run


@pytest.fixture
def predictions_of(client):
    """Read the predictions of runs, by their ids."""

    def read(*run_ids, split="test"):
        with ExitStack() as stack:
            runs = [client.get_run(run_id) for run_id in run_ids]
            records = [stack.enter_context(open_stored_run(client, run)) for run in runs]
            return read_predictions(records, split)

    return read


def test_images_are_joined_by_their_names(make_run, add_predictions, predictions_of):
    first, second = make_run(name="a"), make_run(name="b")
    add_predictions(first, [("x", "cat", "cat", 0.9), ("y", "dog", "cat", 0.8)])
    add_predictions(
        second, [("y", "dog", "dog", 0.7), ("z", "cat", "dog", 0.6), ("x", "cat", "owl", 0.5)]
    )
    found = predictions_of(first, second)
    assert (found.images, found.left_out) == (["x", "y"], 1)
    assert found.predicted.tolist() == [["cat", "cat"], ["owl", "dog"]]
    np.testing.assert_allclose(found.confidence, [[0.9, 0.8], [0.5, 0.7]])
    assert found.correct.tolist() == [[True, False], [False, True]]
    assert [scored.images for scored in found.evaluated] == [2, 3]
    assert found.on_different_images


def test_order_of_the_images_does_not_matter_but_their_labels_do(
    make_run, add_predictions, predictions_of
):
    rows = [("x", "cat", "cat", 0.9), ("y", "dog", "cat", 0.8)]
    ids = [make_run() for _ in range(3)]
    add_predictions(ids[0], rows)
    add_predictions(ids[1], rows[::-1])
    add_predictions(ids[2], [rows[0], ("y", "owl", "cat", 0.8)])
    assert not predictions_of(*ids[:2]).on_different_images
    assert predictions_of(ids[0], ids[2]).on_different_images


def test_class_may_be_called_na_and_unlabelled_images_are_left_out(
    make_run, add_predictions, predictions_of
):
    run_id = make_run()
    add_predictions(run_id, [("x", "NA", "NA", 0.9), ("y", "", "NA", 0.9)])
    found = predictions_of(run_id)
    assert (found.images, found.labels.tolist()) == (["x"], ["NA"])


def test_classes_with_the_names_of_numbers_stay_apart(make_run, add_predictions, predictions_of):
    run_id = make_run()
    add_predictions(run_id, [("x", "10", "010", 0.9), ("y", "1e1", "10", 0.8)])
    found = predictions_of(run_id)
    assert found.labels.tolist() == ["10", "1e1"]
    assert found.predicted.tolist() == [["010", "10"]]
    assert not found.correct.any()


def test_image_that_is_listed_twice_is_an_error(make_run, add_predictions, predictions_of):
    run_id = make_run(name="a")
    add_predictions(run_id, [("x", "cat", "cat", 0.9), ("x", "cat", "dog", 0.9)])
    with pytest.raises(
        ValueError, match=r"predictions/test.csv of the run 'a' lists the image x twice"
    ):
        predictions_of(run_id)


def test_run_without_predictions_is_an_error(make_run, predictions_of):
    run_id = make_run(name="a")
    with pytest.raises(
        ValueError,
        match=r"run 'a' has no predictions/val.csv; `lightning_cli validate --ckpt_path a`",
    ):
        predictions_of(run_id, split="val")


def test_images_of_runs_in_the_same_order_stay_in_it(make_run, add_predictions, predictions_of):
    ids = [make_run() for _ in range(2)]
    for run_id in ids:
        add_predictions(run_id, [("b", "dog", "cat", 0.8), ("a", "cat", "cat", 0.9)])
    found = predictions_of(*ids)
    assert (found.images, found.labels.tolist()) == (["b", "a"], ["dog", "cat"])
    assert found.predicted.tolist() == [["cat", "cat"]] * 2
    assert found.left_out == 0
