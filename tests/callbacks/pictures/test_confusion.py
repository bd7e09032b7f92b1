import pytest
import torch
from torch import nn

from callbacks.output_recorder import Outputs
from callbacks.pictures import ConfusionMatrix, PictureContext
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow

NOTHING = torch.empty(0)
NAMES = ["cat", "dog", "owl"]


def context(predicted, labels, names=NAMES, **options):
    logits = nn.functional.one_hot(torch.tensor(predicted), len(names)).float()
    found = Predictions(logits, torch.tensor(labels), torch.arange(len(labels)))
    sample = lambda number: (NOTHING, NOTHING)  # noqa: E731
    return PictureContext(
        nn.Identity(), names, sample, "epoch 4", outputs=Outputs(found), **options
    )


def test_title_has_epoch_number_of_images_and_accuracy():
    shown = dict(ConfusionMatrix().draw(context([0, 0, 1, 2], [0, 1, 1, 2])))
    assert list(shown) == ["confusion_matrix", "confusion_counts", "confusions"]
    for name in ("confusion_matrix", "confusion_counts"):
        assert shown[name].get_suptitle() == ("Confusion matrix, epoch 4: 4 images, accuracy 75.0%")


def test_table_lists_confusions_at_the_end():
    shown = dict(ConfusionMatrix().draw(context([0, 0, 0, 1, 0, 2], [0, 1, 1, 1, 2, 2])))
    assert shown["confusions"] == {
        "true": ["dog", "owl"],
        "predicted": ["cat", "cat"],
        "images": [2, 1],
        "share of the true class": pytest.approx([2 / 3, 1 / 2]),
    }
    assert "confusions" not in dict(ConfusionMatrix().draw(context([0, 0], [0, 1], final=False)))


def test_unlabelled_images_do_not_count():
    shown = dict(ConfusionMatrix().draw(context([0, 0, 1, 1], [0, -1, 1, -1])))
    title = shown["confusion_matrix"].get_suptitle()
    assert title == "Confusion matrix, epoch 4: 2 images, accuracy 100.0%"


def test_without_labels_there_is_nothing_to_show():
    with pytest.raises(NothingToShow, match="the images have no labels"):
        list(ConfusionMatrix().draw(context([0, 0], [-1, -1])))


@pytest.mark.parametrize(
    ("num_classes", "final", "large"),
    [(25, True, False), (26, True, True), (26, False, False), (101, True, False)],
)
def test_large_figure_with_all_numbers_is_drawn_once_for_26_to_100_classes(
    num_classes, final, large
):
    names = [f"class {index}" for index in range(num_classes)]
    drawn = ConfusionMatrix().draw(context([0, 1], [0, 0], names=names, final=final))
    figures = {name: figure for name, figure in drawn if name.startswith("confusion_")}
    assert ("confusion_numbers" in figures) == large
    if large:
        title = "Confusion matrix, epoch 4: 2 images, accuracy 50.0%"
        assert figures["confusion_numbers"].get_suptitle() == title
