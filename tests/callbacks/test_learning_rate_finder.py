import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR, OneCycleLR

from callbacks import LearningRateRangeTest
from lightning_app.store.run_logger import RunLogger
from models import CosineDecay, Head, Optimization
from models.optimization.range_test import RangeTest, range_test

QUICK = {"num_steps": 20}


@pytest.fixture
def fit(make_classifier, make_trainer, synthetic):
    """Train for two epochs with dropout, and return trainer and model."""

    def run(*callbacks, interval="epoch", **options):
        model = make_classifier(
            head=lambda features, classes: Head(features, classes, dropout=0.3),
            optimization=Optimization(stage_decay=0.5, lr_interval=interval),
            **options,
        )
        trainer = make_trainer(max_epochs=2, callbacks=list(callbacks))
        trainer.fit(model, synthetic)
        return trainer, model

    return run


def rates(trainer):
    return {n[3:]: float(v) for n, v in trainer.callback_metrics.items() if n[:3] == "lr/"}


def test_range_test_changes_neither_the_training_nor_the_random_numbers(fit):
    weights = fit()[1].state_dict()
    numbers = torch.rand(3), np.random.rand(3)
    tested = fit(LearningRateRangeTest(**QUICK))[1].state_dict()
    assert torch.rand(3).equal(numbers[0])
    assert (np.random.rand(3) == numbers[1]).all()
    assert all(weights[name].equal(tested[name]) for name in weights)


@pytest.mark.parametrize(
    ("scheduler", "factor"),
    [(None, 1), (CosineDecay(), 0.5), (lambda o: ExponentialLR(o, 0.1), 0.1)],
)
def test_suggestion_keeps_the_ratios_of_the_stages(fit, monkeypatch, scheduler, factor):
    monkeypatch.setattr(RangeTest, "suggestion", lambda tried: 0.02)
    callback = LearningRateRangeTest(**QUICK, use_suggestion=True)
    trainer, _ = fit(callback, lr_scheduler=scheduler)
    expected = {"block1": 0.0025, "block2": 0.005, "block3": 0.01, "head": 0.02}
    assert rates(trainer) == pytest.approx({name: rate * factor for name, rate in expected.items()})


def test_suggestion_is_the_peak_of_one_cycle(fit, monkeypatch):
    monkeypatch.setattr(RangeTest, "suggestion", lambda tried: 0.02)
    callback = LearningRateRangeTest(**QUICK, use_suggestion=True)
    trainer, _ = fit(
        callback, interval="step", lr_scheduler=lambda o: OneCycleLR(o, 1.0, total_steps=100)
    )
    assert trainer.optimizers[0].param_groups[-1]["max_lr"] == pytest.approx(0.02)


def test_each_step_uses_the_next_rate_and_keeps_the_ratios_of_the_stages(make_classifier):
    seen = []

    class Recorded(torch.optim.SGD):
        def step(self, closure=None):
            seen.append([group["lr"] for group in self.param_groups])

    model = make_classifier(
        optimizer=lambda groups: Recorded(groups, lr=1.0),
        optimization=Optimization(stage_decay=0.5, decay_all=True),
    )
    model.loss = nn.CrossEntropyLoss()
    batches = [(torch.rand(8, 1, 16, 16), torch.arange(8) % 4)] * 3
    range_test(model, batches, np.array([0.1, 0.2, 0.4]))
    expected = [[rate / 8, rate / 4, rate / 2, rate] for rate in (0.1, 0.2, 0.4)]
    np.testing.assert_allclose(seen, expected)


def test_steepest_point_is_suggested():
    rates = np.geomspace(1e-6, 1, 101)
    losses = 1 / (1 + np.exp(3 * np.log10(rates / 1e-2)))  # falls fastest at 1e-2
    assert RangeTest(rates, losses).suggestion() == pytest.approx(1e-2, rel=0.05)


def test_loss_that_never_falls_gives_no_suggestion():
    rates = np.geomspace(1e-6, 1, 50)
    assert RangeTest(rates, np.linspace(1, 2, 50)).suggestion() is None
    assert RangeTest(rates[:5], np.ones(5)).suggestion() is None


def test_test_ends_where_the_loss_diverges(make_classifier, synthetic):
    model = make_classifier(optimizer=lambda groups: torch.optim.SGD(groups, lr=1.0))
    model.loss = nn.CrossEntropyLoss()
    batches = [(torch.rand(8, 1, 16, 16), torch.arange(8) % 4)] * 60
    tried = range_test(model, batches, np.geomspace(1e-3, 1e6, 60))
    assert 0 < len(tried.rates) == len(tried.losses) < 60
    assert np.isfinite(tried.losses).all()


def test_figure_is_logged(make_classifier, make_trainer, synthetic, client):
    logger = RunLogger("rates")
    trainer = make_trainer(max_epochs=1, logger=logger, callbacks=[LearningRateRangeTest(**QUICK)])
    trainer.fit(make_classifier(), synthetic)
    files = [file.path for file in client.list_artifacts(logger.run_id, "figures")]
    assert files == ["figures/learning_rate.png"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 0.0}, "Expected 0 < lowest < highest, got 0 and 1"),
        ({"highest": 1e-7}, "Expected 0 < lowest < highest, got 1e-06 and 1e-07"),
        ({"num_steps": 5}, "Expected num_steps of 20 or more, got 5"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LearningRateRangeTest(**options)
