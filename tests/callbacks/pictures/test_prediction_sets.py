from types import SimpleNamespace

import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from callbacks.output_recorder import Outputs
from callbacks.pictures.picture import PictureContext
from callbacks.pictures.prediction_sets import PredictionSets, selective_table
from models.evaluation.prediction_sets import LEVEL, fit_set_thresholds
from models.evaluation.predictions import Predictions
from models.evaluation.uncertainty import Uncertainty
from models.explain import NothingToShow

NAMES = ("cat", "dog", "owl", "rare")


def simulated(num_images, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (num_images,), generator=generator)
    noise = torch.randn(num_images, 4, generator=generator)
    return 3 * (noise + torch.eye(4)[labels]), labels


def context(logits, labels, excluded=(), **options):
    found = Predictions(logits, labels, torch.arange(len(labels)))
    nothing = torch.empty(0)
    data = SimpleNamespace(options=SimpleNamespace(exclude_classes=list(excluded)))
    chosen = {"model": nn.Identity(), "split": "val", **options}
    return PictureContext(
        class_names=NAMES,
        sample=lambda n: (nothing, nothing),
        title="epoch 4",
        outputs=Outputs(found),
        data=data,
        **chosen,
    )


def calibrated():
    model = nn.Identity()
    model.uncertainty = Uncertainty(fit_set_thresholds(*simulated(1000, 0)), None, 1000)
    return model


def test_the_test_has_the_sets_of_the_checkpoint_and_logs_their_coverage():
    logits, labels = simulated(2000, 1)
    model = calibrated()
    shown = list(PredictionSets().draw(context(logits, labels, model=model, split="test")))
    values = dict(shown[1:6])
    members = model.uncertainty.sets.sets(logits)
    expected = members.gather(1, labels[:, None]).double().mean()
    assert isinstance(shown[0][1], Figure)
    assert values["set_coverage"] == pytest.approx(float(expected))
    assert values["set_coverage"] == pytest.approx(LEVEL, abs=0.03)
    assert values["set_size"] == pytest.approx(float(members.sum(1).double().mean()))
    tables = dict(shown[6:])
    rows = tables["prediction_sets"]
    assert rows["class"] == [*NAMES, "all"]
    assert rows["images"] == [*labels.bincount(minlength=4).tolist(), 2000]
    assert rows["coverage"][-1] == values["set_coverage"]
    first = members[labels == 0]
    assert rows["size"][0] == pytest.approx(float(first.sum(1).double().mean()))
    assert rows["coverage_by_class"][0] == pytest.approx(LEVEL, abs=0.06)


def test_each_half_of_a_validation_has_the_thresholds_of_the_other():
    logits, labels = simulated(3000, 2)
    values = dict(list(PredictionSets().draw(context(logits, labels)))[1:6])
    assert values["set_coverage"] == pytest.approx(LEVEL, abs=0.02)
    # Were they fitted on the same images, not one row could change with the others.
    doubled = dict(list(PredictionSets().draw(context(logits[:60], labels[:60])))[1:6])
    assert 0.7 < doubled["set_coverage"] <= 1


def test_images_of_classes_that_were_left_out_do_not_count():
    logits, labels = simulated(500, 3)
    labels[:100] = 3
    model = calibrated()
    arguments = {"model": model, "split": "test"}
    every = dict(PredictionSets().tables(context(logits, labels, ["rare"], **arguments)))
    kept = dict(PredictionSets().tables(context(logits[100:], labels[100:], **arguments)))
    assert str(every) == str(kept)  # as texts, since NaN differs from itself


def test_accuracy_of_the_most_confident_images_is_that_of_the_sorted_ones():
    logits, labels = simulated(1000, 4)
    found = Predictions(logits, labels, torch.arange(1000))
    table = selective_table(found)
    order = found.confidence.argsort(descending=True)
    expected = [float(found.correct[order[:n]].double().mean()) for n in (800, 900, 950, 1000)]
    assert table["images"] == [800, 900, 950, 1000]
    assert table["accuracy"] == pytest.approx(expected)
    assert table["confidence"][-1] == float(found.confidence.min())


def test_checkpoints_of_earlier_versions_and_few_images_have_no_picture():
    logits, labels = simulated(39, 5)
    with pytest.raises(NothingToShow, match="the checkpoint has no prediction sets"):
        list(PredictionSets().draw(context(logits, labels, split="test")))
    with pytest.raises(NothingToShow, match=r"40 labelled validation images are .*there are 39"):
        list(PredictionSets().draw(context(logits, labels)))
