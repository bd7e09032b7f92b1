"""A network that learned a planted watermark: its corner is named, and no other part is."""

import pytest
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn.functional import cross_entropy

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import PictureContext, Shortcuts
from models.explain import NothingToShow
from models.explain.parts import PARTS

SIDE, CORNER = 16, "lower right corner"


def draw_images(number, is_marked, seed):
    """Noise with a bright bar in the middle, upright or not; some have a mark in the corner."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(number) % 2
    images = 0.4 * torch.rand(number, 3, SIDE, SIDE, generator=generator)
    strength = 0.12 if is_marked else 0.5
    images[labels == 0, :, 6:10, 7:9] += strength
    images[labels == 1, :, 7:9, 6:10] += strength
    if is_marked:
        agrees = torch.rand(number, generator=generator) < 0.95
        images[(labels == 1) == agrees, :, -3:-1, -3:-1] = 0.95
    return images, labels


@pytest.fixture(scope="module")
def context():
    """Function that trains a small network and returns what its picture needs."""

    def train(is_marked):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE**2, 2))
        optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.1)
        images, labels = draw_images(600, is_marked, seed=1)
        for _ in range(60):
            optimizer.zero_grad()
            cross_entropy(network(images), labels).backward()
            optimizer.step()
        shown, known = draw_images(200, is_marked, seed=2)
        model = network.eval()
        return PictureContext(model, ("a", "b"), lambda n: (shown[:n], known[:n]), "epoch 3", "val")

    trained = {is_marked: train(is_marked) for is_marked in (False, True)}
    return trained.__getitem__


def shown_by(context, **settings):
    with inspection_mode(context.model):
        found = dict(enumerate(Shortcuts(**settings).draw(context)))
    (_, figure), (name, table) = found.values()
    assert isinstance(figure, Figure)
    assert name == "shortcuts"
    return figure, [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def test_planted_corner_is_named_and_no_other(context):
    figure, rows = shown_by(context(True))
    assert {row["part"] for row in rows if row["costly"]} == {CORNER}
    worst = min(rows, key=lambda row: row["accuracy without"])
    falls = f"falls from {100 * worst['accuracy as it is']:.0f} to"
    assert f"Without the {CORNER} ({worst['how']}) the accuracy {falls}" in figure.get_suptitle()
    assert worst["accuracy as it is"] > 0.9
    assert worst["accuracy without"] < 0.7
    assert worst["high"] < -0.1
    assert worst["p-value (Holm)"] < 1e-6


def test_network_without_a_shortcut_has_none(context):
    figure, rows = shown_by(context(False))
    assert not any(row["costly"] for row in rows)
    assert figure.get_suptitle() == "What the network needs, epoch 3: 200 images"
    centre = [row for row in rows if row["part"] == "centre"]
    assert all(row["accuracy without"] < 0.7 < row["accuracy as it is"] for row in centre)


def test_colour_is_not_tried_on_grey_images():
    model = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 2)).eval()
    images = draw_images(8, False, seed=2)[0][:, :1]
    labels = torch.arange(8) % 2
    grey = PictureContext(model, ("a", "b"), lambda n: (images[:n], labels[:n]), "epoch 3", "val")
    assert {row["part"] for row in shown_by(grey)[1]} == set(PARTS) - {"colour"}


def test_without_labels_predictions_take_their_place(context):
    model, (images, _) = context(False).model, context(False).sample(40)
    unknown = torch.full((40,), -1)
    files = PictureContext(model, ("a", "b"), lambda n: (images[:n], unknown[:n]), "a", "images")
    figure, rows = shown_by(files)
    assert all(row["accuracy as it is"] == 1 for row in rows)
    labels = [axes.get_xlabel() for axes in figure.axes]
    assert any("share of unchanged predictions" in label for label in labels)


def test_few_images_show_nothing(context):
    with pytest.raises(NothingToShow, match="it needs 8 images or more"):
        shown_by(context(True), num_images=7)
