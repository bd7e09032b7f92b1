import pytest
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import ReduceLROnPlateau
from torch import nn

from callbacks import ProgressiveUnfreezing
from models import Optimization
from models.optimization.parameter_groups import group_parameters


class Steps(Callback):
    """Rates of the groups at each step of the optimizer."""

    def __init__(self):
        self.rates = []

    def on_before_optimizer_step(self, trainer, module, optimizer):
        self.rates.append({group["name"]: group["lr"] for group in optimizer.param_groups})


def groups_of(model):
    return {group["name"]: group["params"] for group in model.parameter_groups()}


def test_biases_and_norms_are_groups_without_weight_decay(make_classifier):
    groups = groups_of(make_classifier())
    stages = ("block1", "block2", "block3", "head")
    assert list(groups) == [f"{s}{suffix}" for s in stages for suffix in ("", "/no_decay")]
    assert all(p.ndim > 1 for stage in stages for p in groups[stage])
    assert all(p.ndim == 1 for stage in stages for p in groups[f"{stage}/no_decay"])


@pytest.mark.parametrize("decay_all", [True, False])
def test_every_parameter_is_in_one_group(make_classifier, decay_all):
    model = make_classifier(optimization=Optimization(decay_all=decay_all))
    grouped = [id(p) for parameters in groups_of(model).values() for p in parameters]
    assert sorted(grouped) == sorted(map(id, model.parameters()))


def test_decay_of_all_makes_one_group_per_stage(make_classifier):
    model = make_classifier(optimization=Optimization(decay_all=True))
    assert list(groups_of(model)) == ["block1", "block2", "block3", "head"]


def test_empty_groups_are_left_out():
    norm = nn.BatchNorm2d(3)
    groups = group_parameters({"norm": norm.parameters(), "pool": []}, decay_all=False)
    assert [group["name"] for group in groups] == ["norm/no_decay"]


def test_weight_decay_shrinks_weights_and_leaves_biases(make_classifier):
    model = make_classifier(
        optimizer=lambda groups: torch.optim.SGD(groups, lr=0.5, weight_decay=0.2)
    )
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    model.configure_optimizers().step()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter, before[name] * (0.9 if parameter.ndim > 1 else 1))


def test_rates_decrease_with_the_distance_from_the_head(make_classifier):
    model = make_classifier(
        optimization=Optimization(stage_decay=0.5),
        lr_scheduler=lambda o: torch.optim.lr_scheduler.StepLR(o, 10),
    )
    configured = model.configure_optimizers()
    expected = [3e-3 / 8, 3e-3 / 4, 3e-3 / 2, 3e-3]
    rates = [group["initial_lr"] for group in configured["optimizer"].param_groups]
    assert rates[::2] == rates[1::2] == pytest.approx(expected)
    assert configured["lr_scheduler"]["scheduler"].base_lrs == rates


def test_backbone_has_a_share_of_the_rate_of_the_head(make_classifier):
    model = make_classifier(optimization=Optimization(stage_decay=0.5, backbone_rate=0.1))
    rates = [group["lr"] for group in model.configure_optimizers().param_groups]
    assert rates[::2] == pytest.approx([3e-4 / 8, 3e-4 / 4, 3e-4 / 2, 3e-3])


def test_rate_of_a_stage_is_logged_once(make_classifier, make_trainer, synthetic):
    trainer = make_trainer(max_epochs=1)
    trainer.fit(make_classifier(optimization=Optimization(stage_decay=0.5)), synthetic)
    logged = {name: float(v) for name, v in trainer.callback_metrics.items() if name[:3] == "lr/"}
    assert logged == pytest.approx(
        {"lr/block1": 3e-3 / 8, "lr/block2": 3e-3 / 4, "lr/block3": 3e-3 / 2, "lr/head": 3e-3}
    )


def test_rates_rise_linearly_over_the_warmup(make_classifier, make_trainer, synthetic):
    steps = Steps()
    model = make_classifier(optimization=Optimization(warmup_epochs=4 / 3, stage_decay=0.5))
    trainer = make_trainer(max_epochs=2, callbacks=[steps])
    trainer.fit(model, synthetic)  # three batches an epoch
    factors = [1 / 4, 2 / 4, 3 / 4, 4 / 4, 1, 1]
    assert [r["head"] for r in steps.rates] == pytest.approx([f * 3e-3 for f in factors])
    assert [r["block3"] for r in steps.rates] == pytest.approx([f * 1.5e-3 for f in factors])
    assert trainer.callback_metrics["lr/head"] == pytest.approx(3e-3)  # of the second epoch


def test_stage_that_is_unfrozen_later_has_a_warmup_of_its_own(
    make_classifier, make_trainer, synthetic, tmp_path
):
    def fit(max_epochs, resumed=None):
        steps = Steps()
        unfreezing = ProgressiveUnfreezing({0: "head", 1: "all"})
        model = make_classifier(optimization=Optimization(warmup_epochs=1, backbone_rate=0.5))
        trainer = make_trainer(max_epochs=max_epochs, callbacks=[unfreezing, steps])
        trainer.fit(model, synthetic, ckpt_path=resumed)  # three batches an epoch
        trainer.save_checkpoint(tmp_path / f"{max_epochs}.ckpt")
        return steps.rates

    rates = fit(3)
    warm = [1 / 3, 2 / 3, 1]
    assert [r["head"] for r in rates] == pytest.approx([3e-3 * f for f in (*warm, *[1] * 6)])
    assert [r["block1"] for r in rates[3:]] == pytest.approx([1.5e-3 * f for f in (*warm, 1, 1, 1)])
    fit(2)
    assert fit(3, tmp_path / "2.ckpt") == rates[6:]


def test_warmup_multiplies_the_scheduled_rates(make_classifier, make_trainer, synthetic):
    steps = Steps()
    model = make_classifier(
        optimization=Optimization(warmup_epochs=2, lr_interval="step"),
        lr_scheduler=lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.5),
    )
    make_trainer(max_epochs=2, callbacks=[steps]).fit(model, synthetic)
    expected = [3e-3 * 0.5**step * (step + 1) / 6 for step in range(6)]
    assert [rates["head"] for rates in steps.rates] == pytest.approx(expected)


def test_error_of_an_optimizer_names_the_option(make_classifier):
    model = make_classifier(optimizer=lambda groups: torch.optim.AdamW(groups, lr=-1.0))
    message = r"model\.init_args\.optimizer: Invalid learning rate: -1\.0"
    with pytest.raises(ValueError, match=message):
        model.configure_optimizers()


def test_error_of_a_scheduler_names_the_option(make_classifier):
    model = make_classifier(
        lr_scheduler=lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1.0, total_steps=-1)
    )
    with pytest.raises(ValueError, match=r"model\.init_args\.lr_scheduler: Expected positive"):
        model.configure_optimizers()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stage_decay": 0.0}, r"Expected stage_decay in \(0, 1\], got 0"),
        ({"stage_decay": 1.5}, r"Expected stage_decay in \(0, 1\], got 1\.5"),
        ({"backbone_rate": 0.0}, r"Expected backbone_rate in \(0, 1\], got 0"),
        ({"warmup_epochs": -1.0}, "Expected warmup_epochs of 0 or more, got -1"),
        ({"warmup_epochs": float("inf")}, "Expected warmup_epochs of 0 or more, got inf"),
    ],
)
def test_values_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Optimization(**options)


def test_plateau_that_monitors_an_unknown_metric_is_refused(
    make_classifier, make_trainer, synthetic
):
    model = make_classifier(lr_scheduler=lambda o: ReduceLROnPlateau(o, monitor="val/los"))
    with pytest.raises(
        ValueError, match=r"monitors 'val/los', .* expected one of lr/block1, .*val/loss"
    ):
        make_trainer(max_epochs=1).fit(model, synthetic)


def test_plateau_lowers_the_rate_once_per_epoch(make_classifier, make_trainer, synthetic):
    steps = Steps()
    model = make_classifier(
        lr_scheduler=lambda o: ReduceLROnPlateau(
            o, monitor="val/loss", factor=0.1, patience=0, threshold=1.0
        )
    )
    make_trainer(max_epochs=3, callbacks=[steps]).fit(model, synthetic)
    rates = [rates["head"] for rates in steps.rates]  # of three batches an epoch
    assert rates == pytest.approx([3e-3] * 3 + [3e-4] * 3 + [3e-5] * 3)
