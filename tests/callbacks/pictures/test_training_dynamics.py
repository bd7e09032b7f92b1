from types import SimpleNamespace

import numpy as np
import pytest
import torch

from callbacks.pictures import PictureContext, TrainingDynamicsMap
from models.evaluation.training_dynamics import TrainingDynamics

MEANS = [0.9, 0.7, 0.5, 0.3, 0.1]
SPREADS = [0.0, 0.1, 0.3, 0.2, 0.0]


def draw(counts, num_images=2):
    """Five images of the first class, which were seen so often."""
    mean = torch.tensor(MEANS)
    labels = np.zeros(5, np.int64)
    dynamics = TrainingDynamics(
        torch.stack([mean, 1 - mean], dim=1), mean, torch.tensor(SPREADS), 2 * mean - 1,
        torch.tensor(counts, dtype=torch.float64),
    )  # fmt: skip
    source = SimpleNamespace(labels=labels, names=[f"{k}.png" for k in range(5)])
    data = SimpleNamespace(
        sources={"train": source}, images=lambda split, rows: torch.zeros(len(rows), 1, 4, 4)
    )
    context = PictureContext(
        torch.nn.Identity(), ("cat", "dog"), lambda n: None, "epoch 2", data=data, dynamics=dynamics
    )
    (_, figure), _ = TrainingDynamicsMap(num_images=num_images).draw(context)
    left_and_right = figure.subfigs
    captions = {
        place.get_suptitle(): [axes.texts[0].get_text().split("\n")[1][:4] for axes in place.axes]
        for place in left_and_right[1].subfigs
    }
    return figure.get_suptitle(), captions


def test_corners_are_those_of_the_map():
    title, captions = draw([3] * 5)
    assert title == "How the training images were learned, epoch 2: 5 images"
    assert captions == {
        "easy to learn": ["90 %", "70 %"],
        "ambiguous: the largest spread": ["50 %", "30 %"],
        "hard to learn, or a wrong label": ["10 %", "30 %"],
    }


def test_images_that_were_seen_once_are_counted_and_not_called_easy():
    title, captions = draw([1, 2, 2, 2, 1])
    assert title.endswith("5 images\nseen once or never: 2 of 5 training images")
    assert captions["easy to learn"] == ["70 %", "50 %"]
    assert captions["hard to learn, or a wrong label"] == ["30 %", "50 %"]


@pytest.mark.parametrize(("counts", "seldom"), [([1] * 5, 5), ([1, 2, 1, 1, 1], 4)])
def test_without_images_that_were_seen_twice_none_is_called_easy(counts, seldom):
    title, captions = draw(counts)
    assert title.endswith(f"seen once or never: {seldom} of 5 training images")
    assert captions == {
        "most probable label": ["90 %", "70 %"],
        "least probable label": ["10 %", "30 %"],
    }
