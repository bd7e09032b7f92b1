from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from callbacks.output_recorder import Outputs, SampledFeatures
from callbacks.pictures.picture import PictureContext
from callbacks.pictures.unknowns import Unknowns
from models import ImageClassifier, SmallCNN
from models.evaluation.predictions import Predictions
from models.evaluation.uncertainty import fit_uncertainty
from models.evaluation.unknowns import energy
from models.explain import NothingToShow

NAMES = ("bright", "dark", "left out")
SIZE = 16


@pytest.fixture(scope="module")
def trained():
    """A network with random weights whose validation saw smooth images, as thresholds need it."""
    torch.manual_seed(0)
    model = ImageClassifier(SmallCNN(4, 1), 3).eval()
    outputs, labels = evaluated(model, 80, 0)
    model.uncertainty = fit_uncertainty(outputs.predictions.logits, labels, outputs.features.values)
    return model


def evaluated(model, num_images, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(num_images) % 2
    levels = 0.25 + 0.5 * labels + 0.1 * torch.rand(num_images, generator=generator)
    images = levels[:, None, None, None].expand(-1, 1, SIZE, SIZE)
    with torch.inference_mode():
        features, logits = model.features_and_logits(images)
    rows = torch.arange(num_images)
    return Outputs(Predictions(logits, labels, rows), SampledFeatures(features, rows)), labels


def context(model, outputs, excluded=(), **options):
    image = torch.zeros(1, 1, SIZE, SIZE)
    data = SimpleNamespace(options=SimpleNamespace(exclude_classes=list(excluded)), sources={})
    return PictureContext(
        model, NAMES, lambda n: (image, image), "test", outputs=outputs, data=data, **options
    )


def test_areas_are_those_of_scikit_learn_and_noise_is_refused(trained):
    outputs, _ = evaluated(trained, 60, 1)
    [_, (_, refused), (name, area), (_, table)] = Unknowns().draw(
        context(trained, outputs, split="test")
    )
    assert (name, area) == ("auroc_noise", table["auroc"][0])
    assert table["unknown"] == 3 * ["noise"]
    assert table["refused"][0] == 1
    assert refused < 0.2
    noise = torch.rand((64, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        others = energy(trained(noise))
    known = energy(outputs.predictions.logits)
    truth = np.r_[np.ones(60), np.zeros(64)]
    expected = roc_auc_score(truth, np.r_[known.numpy(), others.numpy()])
    assert table["auroc"][table["score"].index("energy")] == pytest.approx(expected)


def test_test_images_of_classes_that_were_left_out_are_unknown_ones(trained):
    outputs, labels = evaluated(trained, 60, 2)
    labels[:9] = 2
    shown = dict(Unknowns().draw(context(trained, outputs, ["left out"], split="test")))
    rows = list(zip(*(shown["unknowns"][key] for key in ("unknown", "images")), strict=True))
    assert rows == 3 * [("noise", 64), ("left out", 9)]
    assert "auroc_left_out" in shown


def test_validation_images_are_compared_with_the_other_ones(trained):
    outputs, _ = evaluated(trained, 80, 0)
    [_, (name, refused), *_] = Unknowns().draw(context(trained, outputs))
    assert name == "known_refused"
    assert 0 < refused <= 4 / 80  # the fifth lies at the threshold


def test_during_training_there_is_only_the_figure(trained):
    outputs, _ = evaluated(trained, 80, 0)
    shown = Unknowns().draw(context(trained, outputs, final=False))
    assert [name for name, _ in shown] == ["unknowns"]


def test_without_features_or_thresholds_there_is_nothing_to_show(trained):
    outputs, _ = evaluated(trained, 60, 3)
    with pytest.raises(NothingToShow, match="found by features, which are not known"):
        list(Unknowns().draw(context(nn.Identity(), outputs)))
    earlier = ImageClassifier(SmallCNN(4, 1), 3).eval()
    with pytest.raises(NothingToShow, match="keeps no features: its fit had fewer than 20 valid"):
        list(Unknowns().draw(context(earlier, outputs, split="test")))
    few, _ = evaluated(trained, 19, 3)
    with pytest.raises(NothingToShow, match=r"needs 20 validation images of .*, and there are 19"):
        list(Unknowns().draw(context(earlier, few)))
