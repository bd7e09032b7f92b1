from contextlib import ExitStack

import numpy as np
import pytest

from lightning_app.store.predictions import read_answers
from lightning_app.store.stored_run import open_stored_run


@pytest.fixture
def answers_of(client):
    """What runs say, by their ids."""

    def read(*run_ids, split="test"):
        with ExitStack() as stack:
            runs = [client.get_run(run_id) for run_id in run_ids]
            records = [stack.enter_context(open_stored_run(client, run)) for run in runs]
            return read_answers(records, split)

    return read


def test_images_are_joined_by_their_names(make_run, add_predictions, answers_of):
    first, second = make_run(name="a"), make_run(name="b")
    add_predictions(first, [("x", "cat", "cat", 0.9), ("y", "dog", "cat", 0.8)])
    add_predictions(
        second, [("y", "dog", "dog", 0.7), ("z", "cat", "dog", 0.6), ("x", "cat", "owl", 0.5)]
    )
    found = answers_of(first, second)
    assert (found.images, found.left_out) == (["x", "y"], 1)
    assert found.predicted.tolist() == [["cat", "cat"], ["owl", "dog"]]
    np.testing.assert_allclose(found.confidence, [[0.9, 0.8], [0.5, 0.7]])
    assert found.right.tolist() == [[True, False], [False, True]]
    assert [scored.images for scored in found.scored] == [2, 3]
    assert found.on_different_images


def test_images_in_another_order_are_the_same_and_of_another_label_are_not(
    make_run, add_predictions, answers_of
):
    rows = [("x", "cat", "cat", 0.9), ("y", "dog", "cat", 0.8)]
    ids = [make_run() for _ in range(3)]
    add_predictions(ids[0], rows)
    add_predictions(ids[1], rows[::-1])
    add_predictions(ids[2], [rows[0], ("y", "owl", "cat", 0.8)])
    assert not answers_of(*ids[:2]).on_different_images
    assert answers_of(ids[0], ids[2]).on_different_images


def test_class_may_be_called_na_and_images_without_a_label_do_not_count(
    make_run, add_predictions, answers_of
):
    run_id = make_run()
    add_predictions(run_id, [("x", "NA", "NA", 0.9), ("y", "", "NA", 0.9)])
    found = answers_of(run_id)
    assert (found.images, found.labels.tolist()) == (["x"], ["NA"])


def test_image_that_stands_there_twice_is_an_error(make_run, add_predictions, answers_of):
    run_id = make_run(name="a")
    add_predictions(run_id, [("x", "cat", "cat", 0.9), ("x", "cat", "dog", 0.9)])
    with pytest.raises(
        ValueError, match=r"predictions/test.csv of the run 'a' has the image x twice"
    ):
        answers_of(run_id)


def test_run_without_predictions_is_an_error(make_run, answers_of):
    run_id = make_run(name="a")
    with pytest.raises(
        ValueError, match=r"run 'a' has no predictions/val.csv; `lightning_cli validate`"
    ):
        answers_of(run_id, split="val")
