"""A planted group is found and described, and nothing is found where nothing is."""

import numpy as np
import pytest
import torch

from models.evaluation.groupings import Grouping
from models.evaluation.hidden_groups import hidden_groups, worse_than_classes
from models.evaluation.image_properties import image_properties, property_groupings
from models.evaluation.shared_properties import shared_properties

NUMBER = 480


def draw(seed, is_planted):
    """Features of four classes; if planted, one image in six is shifted and often a mistake."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 4, NUMBER)
    features = generator.normal(size=(NUMBER, 12)) + 3 * np.eye(4, 12)[labels]
    odd = generator.random(NUMBER) < 1 / 6
    correct = generator.random(NUMBER) < np.where(odd & is_planted, 0.3, 0.9)
    features[odd & is_planted] += 6 * np.eye(12)[5]
    tensors = torch.from_numpy(features).float(), torch.from_numpy(correct)
    return *tensors, torch.from_numpy(labels), odd


@pytest.mark.parametrize("seed", range(3))
def test_planted_group_is_found_and_described(seed):
    features, correct, labels, odd = draw(seed, True)
    found, *_ = hidden_groups(features, correct, labels)
    assert odd[found.rows].mean() > 0.8
    assert found.high < found.expected
    member = np.zeros(NUMBER, bool)
    member[found.rows] = True
    camera = Grouping(["phone", "reflex"], 1 - odd.astype(int))
    other = Grouping(["a", "b"], np.arange(NUMBER) % 2)
    [shared] = shared_properties(member, {"site": other, "camera": camera})
    assert (shared.column, shared.group) == ("camera", "phone")
    assert shared.images == odd[found.rows].sum()
    assert shared.share == pytest.approx(odd.mean())


def test_nothing_is_found_where_mistakes_are_chance():
    found = [hidden_groups(*draw(seed, False)[:3]) for seed in range(20)]
    assert sum(map(bool, found)) <= 1


def test_class_that_is_hard_is_no_hidden_group():
    features, _, labels, _ = draw(0, False)
    correct = torch.rand(NUMBER, generator=torch.Generator().manual_seed(0)) < 0.9 - 0.6 * (
        labels == 2
    )
    assert hidden_groups(features, correct, labels) == []


def test_p_value_is_that_of_exchanging_images_of_a_class():
    generator = np.random.default_rng(0)
    labels, member = generator.integers(0, 3, 60), generator.random(60) < 0.3
    correct = generator.random(60) < 0.7
    drawn = []
    for _ in range(4000):
        shuffled = correct.copy()
        for label in range(3):
            shuffled[labels == label] = generator.permutation(correct[labels == label])
        drawn.append(shuffled[member].sum())
    expected = np.mean(np.array(drawn) <= correct[member].sum())
    found = worse_than_classes(
        torch.from_numpy(correct), torch.from_numpy(labels), member, np.ones(60, bool)
    )
    assert found == pytest.approx(expected, abs=0.03)


def test_few_images_have_no_hidden_group():
    features, correct, labels, _ = draw(0, True)
    assert hidden_groups(features[:59], correct[:59], labels[:59]) == []


def test_properties_of_images_order_them():
    levels = torch.linspace(0.1, 0.9, 8)[:, None, None, None].expand(8, 3, 4, 4).clone()
    levels[3, :, ::2] += 0.1
    levels[5, 0] += 0.1
    brightness, contrast, colour, detail = image_properties(levels).T
    assert (brightness.diff() > 0).all()
    assert contrast.argmax() == detail.argmax() == 3
    assert colour.argmax() == 5
    groupings = property_groupings(image_properties(levels))
    assert groupings["brightness"].index.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
