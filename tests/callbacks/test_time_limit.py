import time

import pytest
import torch

from callbacks.time_limit import TimeLimit, epochs_within, measure_epoch


@pytest.mark.parametrize(
    ("seconds", "epoch", "limit", "expected"),
    [
        (100.0, 10.0, 20, 10),
        (100.0, 1.0, 20, 20),
        (100.0, 30.0, -1, 3),
        (100.0, 30.0, None, 3),
        (1.0, 30.0, 20, 1),
        (-5.0, 30.0, 20, 1),
    ],
)
def test_epochs_fill_the_time_up_to_their_limit(seconds, epoch, limit, expected):
    assert epochs_within(seconds, epoch, limit) == expected


@pytest.fixture
def fit(make_classifier, make_trainer, synthetic):
    """Function that fits within a time, and returns the epochs, what was recorded, and weights."""

    def run(seconds, started=None, max_epochs=2):
        recorded = []
        begun = time.monotonic() if started is None else started
        limit = TimeLimit(seconds, begun, recorded.append)
        model = make_classifier()
        trainer = make_trainer(max_epochs=max_epochs, callbacks=[limit])
        trainer.fit(model, synthetic)
        return trainer, recorded, model.state_dict()

    return run


def test_a_long_time_changes_nothing(fit, make_classifier, make_trainer, synthetic):
    trainer, recorded, limited = fit(seconds=10**6)
    assert recorded == [2]
    assert trainer.max_epochs == trainer.current_epoch == 2
    model = make_classifier()
    make_trainer(max_epochs=2).fit(model, synthetic)
    assert all(torch.equal(limited[name], value) for name, value in model.state_dict().items())


def test_a_time_that_is_over_leaves_one_step_of_one_epoch(fit):
    trainer, recorded, _ = fit(seconds=1.0, started=time.monotonic() - 10, max_epochs=5)
    assert recorded == [1]
    assert trainer.global_step == 1
    assert "val/accuracy" in trainer.callback_metrics  # it is validated all the same


def test_a_resumed_fit_keeps_its_epochs(make_classifier, make_trainer, synthetic):
    recorded = []
    limit = TimeLimit(1.0, time.monotonic() - 10, recorded.append, resumed=True)
    trainer = make_trainer(max_epochs=3, callbacks=[limit], limit_train_batches=1)
    trainer.fit(make_classifier(), synthetic)
    assert recorded == [3]
    assert (trainer.max_epochs, trainer.global_step) == (3, 1)


def test_an_epoch_is_measured_without_changing_the_network(
    make_classifier, make_trainer, synthetic
):
    model, trainer = make_classifier(), make_trainer(max_epochs=1)
    trainer.fit(model, synthetic)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert measure_epoch(trainer, model, synthetic, 60.0) > 0
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_time_that_is_shorter_than_an_epoch_is_said(fit):
    with pytest.warns(UserWarning, match=r"Not even one epoch fits into --time 60s: .* 0 s are"):
        fit(60.0, started=time.monotonic() - 50)
