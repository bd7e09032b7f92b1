"""Course of a training, against histories worked out by hand."""

import math

import pytest

from lightning_app.store.course import Course, largest_rise, read_course
from lightning_app.store.stored_run import open_stored_run


def course(*accuracies, losses=({},)):
    histories = [dict(enumerate(values)) for values in accuracies]
    return Course([{}], losses, losses, histories)


def test_goal_is_90_percent_of_the_mean_of_the_best_accuracies():
    assert course([0.5, 0.8, 0.7], [0.6, 0.2]).goal == pytest.approx(0.9 * 0.7)
    assert math.isnan(course([]).goal)


def test_epochs_are_counted_until_an_accuracy_is_reached_for_the_first_time():
    runs = course([0.2, 0.5, 0.4, 0.6], [0.5], [0.2, 0.3], [])
    assert runs.epochs_to(0.5) == [2, 1, None, None]


def test_epochs_without_validation_count():
    runs = Course([{}], [{}], [{}], [{4: 0.3, 9: 0.6}])
    assert runs.epochs_to(0.5) == [10]


def test_nothing_is_reached_if_the_base_was_never_validated():
    assert course([0.2, 0.5]).epochs_to(math.nan) == [None]


def test_largest_rise_is_from_one_epoch_to_the_next():
    assert largest_rise({0: 2.0, 1: 1.0, 2: 1.25, 3: 0.5, 4: 1.5, 5: 1.75}) == 1.0
    assert largest_rise({3: 1.5, 1: 2.0, 2: 1.0}) == 0.5  # in the order of the epochs
    assert largest_rise({0: 2.0, 1: 1.0}) == 0
    assert math.isnan(largest_rise({0: 2.0}))


def test_rise_is_the_mean_over_the_runs():
    runs = course([], losses=[{0: 1.0, 1: 3.0}, {0: 1.0, 1: 0.5}])
    assert (runs.train_loss_rise, runs.val_loss_rise) == (1, 1)


def test_course_is_read_from_the_metrics_of_a_run(make_run, client):
    run_id = make_run()
    for name, values in {
        "time/epoch": (60, 120, 180),
        "train/loss": (2, 1, 3),
        "val/loss": (1, 5, 4),
        "val/accuracy": (0.25, 0.5, 0.75),
    }.items():
        for epoch, value in enumerate(values):
            client.log_metric(run_id, name, value, step=epoch)
    with open_stored_run(client, client.get_run(run_id)) as record:
        found = read_course([record])
    assert (found.minutes, found.epoch_seconds) == (6, 120)
    assert (found.train_loss_rise, found.val_loss_rise) == (2, 4)
    assert found.epochs_to(found.goal) == [3]  # 0.675
