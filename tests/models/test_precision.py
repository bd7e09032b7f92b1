from types import SimpleNamespace

import pytest
import torch

from callbacks.inspection_mode import inspection_mode
from lightning_app.cli.networks.network import Network, outputs_of
from models import precision
from models.precision import precision_of_fit

IMAGES = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def computing(monkeypatch):
    """A device that computes in bfloat16, or not, whatever this one does."""
    return lambda can: monkeypatch.setattr(precision, "computes_bfloat16", lambda device: can)


@pytest.mark.parametrize(
    ("trained_in", "can", "dtype"),
    [
        ("bf16-mixed", True, torch.bfloat16),
        ("bf16-true", True, torch.bfloat16),
        ("bf16-mixed", False, torch.float32),
        ("16-mixed", True, torch.float32),
        ("32-true", True, torch.float32),
    ],
)
def test_network_is_inspected_in_the_precision_of_its_fit(
    make_classifier, computing, trained_in, can, dtype
):
    computing(can)
    model = make_classifier().eval()
    model.precision_of_fit = trained_in
    with inspection_mode(model):
        inspected = model(IMAGES)
    assert inspected.dtype == dtype
    network = Network(model, tuple("abcd"), 32, 1, "x", None)
    assert outputs_of(network, IMAGES)["logits"].equal(inspected.float())


def test_weights_in_bfloat16_are_left_to_themselves(make_classifier, computing):
    computing(True)
    model = make_classifier().eval().to(torch.bfloat16)
    model.precision_of_fit = "bf16-true"
    with precision_of_fit(model):
        assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("trained_in", ["bf16-mixed", "bf16-true"])
def test_explained_checkpoint_agrees_with_the_metrics_of_its_fit(
    make_classifier, make_trainer, synthetic, computing, tmp_path, trained_in
):
    computing(True)
    model = make_classifier()
    trainer = make_trainer(max_epochs=1, precision=trained_in)
    trainer.fit(model, synthetic)
    file = tmp_path / "last.ckpt"
    trainer.save_checkpoint(file)
    saved = torch.load(file, weights_only=False)
    assert saved["precision_of_fit"] == trained_in
    images = synthetic.images("val", range(12))
    with torch.no_grad(), trainer.precision_plugin.forward_context():
        expected = model.eval()(images).float().softmax(dim=1)
    again = make_classifier().eval()
    again.load_state_dict(saved["state_dict"])
    again.on_load_checkpoint(saved)
    found = outputs_of(Network(again, tuple("abcd"), 32, 1, "x", None), images)["logits"]
    torch.testing.assert_close(found.softmax(dim=1), expected, rtol=0, atol=5e-3)


def test_precision_of_the_trainer_holds_in_another_fit(make_classifier):
    model = make_classifier()
    model._trainer, model.precision_of_fit = SimpleNamespace(), "32-true"
    model.on_load_checkpoint({"precision_of_fit": "bf16-mixed"})
    assert model.precision_of_fit == "32-true"
    model._trainer = None
    model.on_load_checkpoint({"precision_of_fit": "bf16-mixed"})
    assert model.precision_of_fit == "bf16-mixed"
    model.on_load_checkpoint({})  # of an earlier version
    assert model.precision_of_fit == "32-true"
