import pytest
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins import MixedPrecision

from callbacks import FiniteCheck
from datamodules import SyntheticDataModule
from models.optimization import fused

MAKERS = {
    "Adam": lambda groups: torch.optim.Adam(groups, 0.1, amsgrad=True),
    "AdamW": lambda groups: torch.optim.AdamW(groups, 0.1),
    "SGD": lambda groups: torch.optim.SGD(groups, 0.1, momentum=0.9),
}


@pytest.fixture
def on_gpu(monkeypatch):
    """Let the CPU, which has fused kernels, too, count as a GPU."""
    monkeypatch.setattr(fused, "DEVICES", ("cpu",))


def built(model, make):
    """The optimizer of a model with random weights and gradients."""
    generator = torch.Generator().manual_seed(0)
    model.make_optimizer = make
    optimizer = model.configure_optimizers()
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    return optimizer


def implementations(optimizer):
    return {group["fused"] for group in optimizer.param_groups}


@pytest.mark.parametrize("name", MAKERS)
def test_optimizer_is_fused_on_a_gpu_alone(name, make_classifier, monkeypatch):
    plain, other = make_classifier(), make_classifier()
    optimizers = [built(plain, MAKERS[name])]
    monkeypatch.setattr(fused, "DEVICES", ("cpu",))
    optimizers.append(built(other, MAKERS[name]))
    for optimizer in optimizers:
        optimizer.step()
        optimizer.step()
    assert [implementations(optimizer) for optimizer in optimizers] == [{None}, {True}]
    torch.testing.assert_close(plain.state_dict(), other.state_dict(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("choice", [{"fused": False}, {"foreach": True}, {"capturable": True}])
def test_implementation_that_is_chosen_stays(choice, make_classifier, on_gpu):
    optimizer = built(make_classifier(), lambda groups: torch.optim.AdamW(groups, **choice))
    assert all(choice.items() <= group.items() for group in optimizer.param_groups)
    assert not any(group["fused"] for group in optimizer.param_groups)


def test_optimizers_without_fused_kernels_stay_as_they_are(make_classifier, on_gpu):
    optimizer = built(make_classifier(), lambda groups: torch.optim.RMSprop(groups, 0.1))
    assert not any("fused" in group for group in optimizer.param_groups)


@pytest.mark.parametrize("devices", [("cpu", "none"), ("none", "cpu")])
def test_checkpoint_of_another_device_continues(devices, make_classifier, monkeypatch):
    whole = built(make_classifier(), MAKERS["AdamW"])
    model, resumed = make_classifier(), make_classifier()
    monkeypatch.setattr(fused, "DEVICES", devices[:1])
    first = built(model, MAKERS["AdamW"])
    first.step()
    monkeypatch.setattr(fused, "DEVICES", devices[1:])
    second = built(resumed, MAKERS["AdamW"])
    own = implementations(second)
    resumed.load_state_dict(model.state_dict())
    second.load_state_dict(first.state_dict())
    second.step()
    whole.step()
    whole.step()
    assert implementations(second) == own != implementations(first)
    for group, expected in zip(second.param_groups, whole.param_groups, strict=True):
        pairs = zip(group["params"], expected["params"], strict=True)
        for found, parameter in pairs:
            torch.testing.assert_close(found, parameter, rtol=1e-4, atol=1e-5)


class Norms(Callback):
    """Norms of all gradients after they are clipped."""

    def __init__(self):
        self.values = []

    def on_before_zero_grad(self, trainer, pl_module, optimizer):
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        if gradients:
            self.values.append(torch.nn.utils.get_total_norm(gradients).item())


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_gradients_of_a_fused_optimizer_are_clipped(precision, make_classifier, make_trainer):
    model = make_classifier(optimizer=lambda groups: torch.optim.AdamW(groups, fused=True))
    scaler = torch.amp.GradScaler("cpu", 8.0) if precision == "16-mixed" else None
    norms = Norms()
    trainer = make_trainer(
        max_epochs=1,
        limit_train_batches=3,
        limit_val_batches=0,
        gradient_clip_val=0.01,
        callbacks=[norms, FiniteCheck("skip")],
        plugins=[MixedPrecision(precision, "cpu", scaler)],
    )
    trainer.fit(model, SyntheticDataModule(num_images=60, batch_size=8, num_workers=0))
    assert norms.values == pytest.approx([0.01] * 2, rel=1e-2)
