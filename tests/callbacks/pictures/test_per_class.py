import pytest
import torch
from torch import nn

from callbacks.output_recorder import Outputs
from callbacks.pictures import ClassScores, PictureContext
from models.evaluation.intervals import bootstrap_intervals
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow

NOTHING = torch.empty(0)
CONFUSION = torch.tensor([[6, 2, 0], [1, 9, 0], [0, 0, 0]])


def context(confusion, labels=None, **options):
    rows, columns = confusion.nonzero(as_tuple=True)
    counts = confusion[rows, columns]
    logits = nn.functional.one_hot(columns.repeat_interleave(counts), 3).float()
    labels = rows.repeat_interleave(counts) if labels is None else labels
    found = Predictions(logits, labels, torch.arange(len(labels)))
    sample = lambda number: (NOTHING, NOTHING)  # noqa: E731
    names = ["cat", "dog", "owl"]
    return PictureContext(
        nn.Identity(), names, sample, "epoch 4", outputs=Outputs(found), **options
    )


def test_there_is_a_figure_each_time_and_tables_at_the_end():
    assert [name for name, _ in ClassScores().draw(context(CONFUSION, final=False))] == [
        "per_class"
    ]
    names = [name for name, _ in ClassScores().draw(context(CONFUSION))]
    assert names == ["per_class", "per_class", "scores"]


def test_title_has_the_overall_scores_and_their_intervals():
    [(_, figure)] = ClassScores().draw(context(CONFUSION, final=False))
    low, high = 100 * bootstrap_intervals(CONFUSION).overall_accuracy
    first, second = figure.get_suptitle().split("\n")
    assert first == "Scores of each class, epoch 4: 18 images"
    assert second.startswith(
        f"accuracy 83.3% (95 % interval {low:.1f} to {high:.1f}), macro F1 82.9%"
    )


def test_table_of_the_classes_has_their_scores_and_intervals():
    _, (_, table), _ = ClassScores().draw(context(CONFUSION))
    assert list(table) == [
        *("class", "precision", "recall", "f1", "support"),
        *("precision_low", "precision_high", "recall_low", "recall_high"),
        *("f1_low", "f1_high"),
    ]
    assert table["class"] == ["cat", "dog", "owl"]
    assert table["support"] == [8, 10, 0]
    assert table["precision"][:2] == pytest.approx([6 / 7, 9 / 11])
    assert table["recall"][:2] == pytest.approx([6 / 8, 9 / 10])
    assert table["f1_low"] == pytest.approx(bootstrap_intervals(CONFUSION).f1[0], nan_ok=True)


def test_overall_scores_lie_within_their_intervals():
    *_, (name, table) = ClassScores().draw(context(CONFUSION))
    assert name == "scores"
    assert table["metric"] == ["accuracy", "f1_macro"]
    assert table["value"][0] == pytest.approx(15 / 18)
    for value, low, high in zip(table["value"], table["low"], table["high"], strict=True):
        assert low < value < high


def test_without_labels_there_is_nothing_to_show():
    with pytest.raises(NothingToShow, match="the images have no labels"):
        list(ClassScores().draw(context(CONFUSION, torch.full((18,), -1))))
