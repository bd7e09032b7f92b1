import numpy as np
import pytest

from datamodules import Options, SplitSettings
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.source import UNLABELLED, ImageSource
from datamodules.splits.assign_splits import arrange
from datamodules.splits.selection import merged_names

CLASSES = ("buildings", "forest", "glacier", "mountain", "sea", "street")


def source_of(labels):
    """One image per label; its grey value is its index."""
    labels = np.asarray(labels, dtype=np.int64)
    images = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return ImageSource(ArrayReader(images), labels, [f"{i}.png" for i in range(len(labels))])


def counts(source, num_classes=6):
    return np.bincount(source.labels, minlength=num_classes).tolist()


TRAIN, TEST = source_of(np.arange(120) % 6), source_of(np.arange(30) % 6)
LOADED = {"train": TRAIN, "test": TEST}


def test_excluded_classes_leave_training_and_validation_but_not_the_test():
    """As in natural scenes: train without buildings and forest, test on all classes."""
    options = Options(exclude_classes=["buildings", "forest"])
    sources = arrange(LOADED, CLASSES, SplitSettings(val=0.2), options)
    assert counts(sources["train"]) == [0, 0, 16, 16, 16, 16]
    assert counts(sources["val"]) == [0, 0, 4, 4, 4, 4]
    assert counts(sources["test"]) == [5] * 6


def test_merged_class_takes_the_place_of_its_first_member():
    merge = {"nature": ["glacier", "forest"], "water": ["sea"]}
    assert merged_names(CLASSES, merge) == ("buildings", "nature", "mountain", "water", "street")
    sources = arrange(LOADED, CLASSES, SplitSettings(val=0.2), Options(merge_classes=merge))
    assert counts(sources["test"], 5) == [5, 10, 5, 5, 5]
    for index, name in enumerate(sources["test"].names):  # labels stay with their images
        original = CLASSES[int(name.removesuffix(".png")) % 6]
        expected = {"glacier": 1, "forest": 1, "buildings": 0, "mountain": 2, "sea": 3, "street": 4}
        assert sources["test"].labels[index] == expected[original]


def test_excluded_classes_are_named_after_merging():
    options = Options(merge_classes={"water": ["sea", "glacier"]}, exclude_classes=["water"])
    sources = arrange(LOADED, CLASSES, SplitSettings(), options)
    assert counts(sources["train"], 5)[2] == 0
    assert counts(sources["test"], 5)[2] == 10


def test_limit_keeps_the_same_few_training_images_of_each_class():
    options = Options(limit_per_class=3)
    first, second = (arrange(LOADED, CLASSES, SplitSettings(), options) for _ in range(2))
    assert counts(first["train"]) == [3] * 6
    assert first["train"].names == second["train"].names
    assert counts(first["test"]) == [5] * 6


def test_unlabelled_images_stay_unlabelled():
    loaded = {**LOADED, "predict": source_of([UNLABELLED] * 4)}
    options = Options(merge_classes={"water": ["sea", "glacier"]})
    assert (
        arrange(loaded, CLASSES, SplitSettings(), options)["predict"].labels.tolist()
        == [UNLABELLED] * 4
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(exclude_classes=["see"]), "exclude_classes names see; the classes are buildings,"),
        (Options(merge_classes={"water": ["see"]}), "merge_classes names see; the classes are"),
        (Options(merge_classes={"a": ["sea"], "b": ["sea"]}), "merge_classes names sea twice"),
        (Options(merge_classes={"forest": ["sea"]}), "makes forest, which is a class already"),
    ],
)
def test_unknown_class_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        arrange(LOADED, CLASSES, SplitSettings(), options)


def test_class_without_training_images_is_an_error_that_names_it():
    with pytest.raises(ValueError, match="no training image of sea, street"):
        arrange({"train": source_of(np.arange(40) % 4)}, CLASSES, SplitSettings(), Options())


def test_class_without_validation_images_is_a_warning():
    train = source_of([0, 0, 0, 1])
    with pytest.warns(UserWarning, match="no validation image of forest"):
        arrange({"train": train}, CLASSES[:2], SplitSettings(test=0), Options())
