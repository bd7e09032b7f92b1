"""Groups of a table's columns, and groups without a name, as a run shows them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from callbacks.output_recorder import Outputs, SampledFeatures
from callbacks.pictures import Groups, HiddenGroups, PictureContext
from models.evaluation.predictions import Predictions

NAMES = ("cat", "dog", "owl")
NUMBER = 300


def draw(is_planted=True, columns=("camera", "site")):
    """Predictions for images; those of phones are dark, apart in features, and often mistakes."""
    generator = np.random.default_rng(0)
    labels = torch.from_numpy(generator.integers(0, 3, NUMBER))
    phone = generator.random(NUMBER) < 0.2
    correct = generator.random(NUMBER) < np.where(phone & is_planted, 0.3, 0.92)
    predicted = torch.where(torch.from_numpy(correct), labels, (labels + 1) % 3)
    logits = 3 * torch.nn.functional.one_hot(predicted, 3).float()
    features = generator.normal(size=(NUMBER, 8)) + 3 * np.eye(3, 8)[labels.numpy()]
    features[phone & is_planted, 6] += 6
    levels = torch.from_numpy(np.where(phone, 0.2, 0.6) + 0.05 * generator.random(NUMBER)).float()
    texts = {
        "camera": np.where(phone, "phone", "reflex").astype(object),
        "site": generator.choice(["Oslo", "Rome"], NUMBER).astype(object),
        "file": np.array([f"{k}.raw" for k in range(NUMBER)], object),
    }
    source = SimpleNamespace(
        names=[f"{k}.png" for k in range(NUMBER)],
        columns={name: texts[name] for name in columns},
        labels=labels.numpy(),
    )
    data = SimpleNamespace(
        sources={"test": source, "val": source},
        images=lambda split, indices: levels[list(indices)][:, None, None, None].expand(
            -1, 1, 6, 6
        ),
    )
    rows = torch.arange(NUMBER)
    outputs = Outputs(
        Predictions(logits, labels, rows), SampledFeatures(torch.from_numpy(features).float(), rows)
    )
    model = torch.nn.Identity()
    return PictureContext(
        model, NAMES, lambda n: (torch.zeros(n, 1, 6, 6), labels[:n]), "test", "test",
        outputs=outputs, data=data,
    ), phone  # fmt: skip


def rows_of(table):
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def test_worse_group_is_named_with_its_interval_and_the_rest():
    context, phone = draw()
    (_, figure), (metric, lowest), (_, table) = Groups().draw(context)
    rows = {(row["column"], row["group"]): row for row in rows_of(table)}
    worse = rows["camera", "phone"]
    assert [key for key, row in rows.items() if row["worse"]] == [("camera", "phone")]
    assert worse["images"] == phone.sum()
    assert worse["low"] < worse["accuracy"] == lowest < worse["high"] < 0.6
    assert metric == "worst_group_accuracy"
    assert (
        f"camera = phone: {worse['correct']} of {worse['images']} correct, "
        f"{100 * worse['accuracy']:.0f} % ({100 * worse['low']:.0f} to {100 * worse['high']:.0f}), "
        f"against {100 * worse['accuracy of the rest']:.0f} % of the rest"
    ) in figure.get_suptitle()


def test_groups_that_do_not_differ_are_shown_but_none_is_called_worse():
    context, _ = draw(is_planted=False)
    (_, figure), _, (_, table) = Groups().draw(context)
    assert len(table["group"]) == 4
    assert not any(table["worse"])
    assert figure.get_suptitle() == "Groups, test: 300 images"


def test_tables_are_those_of_the_drawing():
    context, _ = draw()
    assert dict(Groups().tables(context)) == dict([*Groups().draw(context)][1:])


@pytest.mark.parametrize("columns", [(), ("file",)])
def test_dataset_without_groups_shows_nothing(columns):
    context, _ = draw(columns=columns)
    assert list(Groups().draw(context)) == []


def test_chosen_columns_are_the_only_ones_and_must_exist():
    context, _ = draw()
    *_, (_, table) = Groups(columns=["site"]).draw(context)
    assert set(table["column"]) == {"site"}
    with pytest.raises(ValueError, match="names 'lens'; the further columns are camera, site"):
        Groups(columns=["lens"]).begin(context.model, context.data)
    with pytest.raises(ValueError, match="num_ranges is 1; expected 2 or more"):
        Groups(num_ranges=1)


def test_hidden_group_is_shown_with_what_its_images_share():
    context, phone = draw()
    (name, figure), *_, (table_name, table) = HiddenGroups().draw(context)
    assert isinstance(figure, Figure)
    assert (name, table_name) == ("hidden_groups/1", "hidden_groups")
    title = figure.get_suptitle().replace("\n", " ")
    assert f"have camera = phone, {100 * phone.mean():.0f} % of all images." in title
    assert "have brightness in the lowest quarter, 25 % of all images." in title
    first = [row for row in rows_of(table) if row["group"] == 1]
    assert np.mean([phone[int(row["image"].split(".")[0])] for row in first]) > 0.8
    assert first[0]["said"] in title


def test_dark_group_is_described_without_columns():
    context, _ = draw(columns=())
    (_, figure), *_ = HiddenGroups().draw(context)
    assert "have brightness in the lowest quarter" in figure.get_suptitle().replace("\n", " ")


def test_without_a_hidden_group_nothing_is_shown():
    assert list(HiddenGroups().draw(draw(is_planted=False)[0])) == []
