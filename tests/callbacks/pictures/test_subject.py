"""A class that is a mark in the corner: its evidence is reported to be outside of the box."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from callbacks.inspection_mode import inspection_mode
from callbacks.output_recorder import Outputs
from callbacks.pictures import PictureContext, SubjectEvidence
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow

SIDE, NUMBER = 24, 90
NAMES = ("red", "green", "mark")


def draw_images():
    """Noise with a red or a green square in the middle; a blue mark makes it the third class."""
    generator = torch.Generator().manual_seed(0)
    labels, turns = torch.arange(NUMBER) % 3, torch.arange(NUMBER)
    images = 0.02 * torch.rand(NUMBER, 3, SIDE, SIDE, generator=generator)
    colors = torch.where(labels < 2, labels, turns % 2)
    for image, color in zip(images, colors, strict=True):
        image[color, 6:14, 6:14] += 0.6
    images[labels == 2, 2, -8:, -8:] += 0.6
    return images, labels


def network():
    """A network that counts red, green and blue, so that its evidence is known."""
    layers = nn.Conv2d(3, 3, 1, bias=False), nn.Linear(3, 3, bias=False)
    layers[0].weight.data = torch.eye(3)[:, :, None, None]
    layers[1].weight.data = torch.diag(torch.tensor([1.0, 1.0, 2.0]))
    return nn.Sequential(layers[0], nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), layers[1])


@pytest.fixture(scope="module")
def context():
    """The network, the images, a box around the square in each, and the predictions."""
    model = network().eval()
    images, labels = draw_images()
    box = np.zeros((SIDE, SIDE), bool)
    box[4:17, 4:17] = True
    source = SimpleNamespace(subjects=True, subject=lambda index: box)
    data = SimpleNamespace(
        sources={"val": source}, images=lambda split, indices: images[list(indices)]
    )
    with torch.no_grad():
        predictions = Predictions(model(images), labels, torch.arange(NUMBER))
    assert predictions.correct.all()
    return PictureContext(
        model, NAMES, lambda n: (images[:n], labels[:n]), "epoch 3",
        outputs=Outputs(predictions), data=data,
    )  # fmt: skip


def shown_by(context):
    with inspection_mode(context.model):
        return list(SubjectEvidence().draw(context))


def test_class_with_a_mark_outside_of_the_box_is_named_and_no_other(context):
    (_, figure), (_, inside), (_, hits), (_, table) = shown_by(context)
    share = dict(zip(table["class"], table["evidence inside"], strict=True))
    named = [n for n, is_so in zip(table["class"], table["elsewhere"], strict=True) if is_so]
    assert named == ["mark"]
    assert share["mark"] < 0.2 < 0.6 < min(share["red"], share["green"])
    assert table["by chance (area)"] == pytest.approx([13**2 / SIDE**2] * 4)
    assert inside == share["all"]
    assert hits == pytest.approx(2 / 3)
    said = f"mark: {100 * share['mark']:.0f} % inside, less than the 29 % that the subject covers"
    assert said in figure.get_suptitle()


def test_dataset_without_boxes_shows_nothing(context):
    data = SimpleNamespace(sources={"val": SimpleNamespace(subjects=None)})
    other = PictureContext(
        context.model, NAMES, context.sample, "epoch 3", outputs=context.outputs, data=data
    )
    assert shown_by(other) == []


def test_few_known_subjects_show_nothing(context):
    source = SimpleNamespace(subjects=True, subject=lambda index: None)
    data = SimpleNamespace(sources={"val": source})
    other = PictureContext(
        context.model, NAMES, context.sample, "epoch 3", outputs=context.outputs, data=data
    )
    with pytest.raises(NothingToShow, match="the subject of 8 images or more must be known"):
        shown_by(other)
