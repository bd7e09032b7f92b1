import pytest
import torch
from lightning.pytorch.callbacks import Callback

from models import CosineDecay, PolynomialDecay
from models.optimization.schedules import scheduler_of


class Rates(Callback):
    """Rate of the head at each step of the optimizer."""

    def __init__(self):
        self.seen = []

    def on_before_optimizer_step(self, trainer, module, optimizer):
        self.seen.append(optimizer.param_groups[-1]["lr"])


@pytest.fixture
def rates(make_classifier, make_trainer, synthetic):
    """Rates of a fit of two epochs of three batches, as shares of the full one."""

    def fit(schedule, **options):
        callback = Rates()
        trainer = make_trainer(**{"max_epochs": 2} | options, callbacks=[callback])
        trainer.fit(make_classifier(lr_scheduler=schedule), synthetic)
        return [rate / 3e-3 for rate in callback.seen]

    return fit


def test_cosine_is_that_of_torch():
    def follow(make):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
        scheduler, seen = make(optimizer), []
        for _ in range(20):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return seen

    ours = follow(lambda o: scheduler_of(CosineDecay(final=0.1), o, lambda: 20))
    theirs = follow(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 20, eta_min=0.05))
    assert ours == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (CosineDecay(), [1, 0.5, 0]),
        (CosineDecay(final=0.2), [1, 0.6, 0.2]),
        (PolynomialDecay(), [1, 0.5, 0]),
        (PolynomialDecay(power=2, final=0.2), [1, 0.4, 0.2]),
    ],
)
def test_factors_at_the_beginning_in_the_middle_and_at_the_end(schedule, factors):
    assert [schedule.factor(progress) for progress in (0, 0.5, 1)] == pytest.approx(factors)


def test_schedule_spans_the_whole_training(rates):
    assert rates(PolynomialDecay()) == pytest.approx([6 / 6, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


@pytest.mark.parametrize(
    ("options", "num_steps"),
    [
        ({"accumulate_grad_batches": 2}, 4),
        ({"limit_train_batches": 2}, 4),
        ({"max_steps": 5}, 5),
        ({"max_epochs": -1, "max_steps": 7}, 7),
        ({"overfit_batches": 1}, 2),
    ],
)
def test_length_follows_the_options_of_the_trainer(rates, options, num_steps):
    expected = [(num_steps - step) / num_steps for step in range(num_steps)]
    assert rates(PolynomialDecay(), **options) == pytest.approx(expected)


def test_unlimited_training_is_refused(rates):
    with pytest.raises(ValueError, match=r"its length is not limited: set trainer\.max_epochs or"):
        rates(CosineDecay(), max_epochs=-1, limit_train_batches=2)


@pytest.mark.parametrize("schedule", [CosineDecay, PolynomialDecay])
def test_final_share_out_of_range_is_refused(schedule):
    with pytest.raises(ValueError, match=r"Expected final in \[0, 1\], got 1\.5"):
        schedule(final=1.5)


def test_power_of_zero_is_refused():
    with pytest.raises(ValueError, match="Expected a power above 0, got 0"):
        PolynomialDecay(power=0)
