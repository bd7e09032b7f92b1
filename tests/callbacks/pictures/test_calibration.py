import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from callbacks.output_recorder import Outputs
from callbacks.pictures.calibration import Calibration
from callbacks.pictures.picture import PictureContext
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow


def context(logits, labels, **options):
    nothing = torch.empty(0)
    found = Predictions(logits, labels, torch.arange(len(labels)))
    names = [f"class {k}" for k in range(logits.shape[1])]
    return PictureContext(
        nn.Identity(),
        names,
        lambda n: (nothing, nothing),
        "epoch 4",
        outputs=Outputs(found),
        **options,
    )


def overconfident(num_images=2000):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(num_images, 5, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    return 3 * logits, labels


def test_metrics_are_logged_at_the_end():
    shown = dict(Calibration().draw(context(*overconfident())))
    assert list(shown) == ["calibration", "ece", "ece_scaled", "temperature", "aurc", "brier"]
    assert shown["temperature"] == pytest.approx(3, abs=0.3)
    assert shown["ece"] > 0.2
    assert shown["ece_scaled"] < 0.05
    assert isinstance(shown["calibration"], Figure)


def test_during_training_there_is_only_the_figure():
    assert [name for name, _ in Calibration().draw(context(*overconfident(), final=False))] == [
        "calibration"
    ]


def test_unlabelled_images_do_not_count():
    logits, labels = overconfident(200)
    more, unknown = torch.cat([logits, 9 * logits]), torch.full_like(labels, -1)
    expected = dict(Calibration().draw(context(logits, labels)))
    got = dict(Calibration().draw(context(more, torch.cat([labels, unknown]))))
    assert all(got[name] == expected[name] for name in ("ece", "ece_scaled", "temperature", "aurc"))
    title = got["calibration"].get_suptitle()
    assert title.startswith("Reliability: accuracy against confidence, epoch 4\n200 images, ")


def test_temperature_at_the_end_of_its_range_is_not_shown(monkeypatch):
    shown = []
    monkeypatch.setattr(
        "callbacks.pictures.calibration.plot_calibration", lambda *series: shown.append(series)
    )
    list(Calibration().draw(context(torch.eye(4), torch.arange(4), final=False)))
    list(Calibration().draw(context(*overconfident(), final=False)))
    assert shown[0][1] is None  # every image is correct, so no confidence is too high
    assert shown[1][1].label.startswith("after scaling by ")


def test_without_labels_there_is_nothing_to_show():
    with pytest.raises(NothingToShow, match="needs two labelled images"):
        list(Calibration().draw(context(torch.eye(3), torch.tensor([-1, 0, -1]))))
    with pytest.raises(NothingToShow, match="the images have no labels"):
        list(Calibration().draw(context(torch.eye(3), torch.tensor([-1, -1, -1]))))


def test_zero_bins_are_refused():
    with pytest.raises(ValueError, match=r"calibration.num_bins is 0; expected 1 or more"):
        Calibration(num_bins=0)


def test_drawing_changes_neither_outputs_nor_random_state():
    logits, labels = overconfident(100)
    before, state = logits.clone(), torch.get_rng_state()
    list(Calibration().draw(context(logits, labels)))
    assert logits.equal(before)
    assert torch.get_rng_state().equal(state)
