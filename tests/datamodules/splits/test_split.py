import numpy as np
import pytest

from datamodules.fixed_images import spread
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.source import ImageSource
from datamodules.splits.settings import SplitSettings
from datamodules.splits.stratified import hash_order, stratified_split

NAMES = [f"{index:03d}.png" for index in range(100)]
LABELS = np.arange(100) % 4
SOURCE = ImageSource(ArrayReader(np.zeros((100, 1, 1, 1), np.uint8)), LABELS, NAMES)


def test_a_fraction_of_each_class_is_set_aside():
    stay, aside = stratified_split(NAMES, LABELS, 0.2, seed=0)
    assert np.bincount(LABELS[aside]).tolist() == [5, 5, 5, 5]
    assert sorted([*stay, *aside]) == list(range(100))


def test_order_is_the_same_on_every_machine():
    # A recorded value: sha256 of "<seed>/<name>" is the same on every platform.
    assert hash_order(["a", "b", "c", "d", "e"], seed=0).tolist() == [2, 1, 4, 3, 0]


def test_split_depends_on_names_but_not_on_their_order():
    _, aside = stratified_split(NAMES, LABELS, 0.2, seed=0)
    _, backwards = stratified_split(NAMES[::-1], LABELS[::-1], 0.2, seed=0)
    assert {NAMES[index] for index in aside} == {NAMES[::-1][index] for index in backwards}


def test_another_seed_gives_another_split():
    _, first = stratified_split(NAMES, LABELS, 0.2, seed=0)
    _, second = stratified_split(NAMES, LABELS, 0.2, seed=1)
    assert set(first) != set(second)


def test_added_images_move_few_of_the_others():
    _, before = stratified_split(NAMES, LABELS, 0.2, seed=0)
    names, labels = [*NAMES, "new.png"], np.append(LABELS, 0)
    _, after = stratified_split(names, labels, 0.2, seed=0)
    assert len({NAMES[i] for i in before} - {names[i] for i in after}) <= 1


def test_a_single_image_of_a_class_stays_in_training():
    stay, aside = stratified_split(["a", "b", "c"], np.array([0, 0, 1]), 0.5, seed=0)
    assert 2 in stay
    assert len(aside) == 1


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_impossible_share_is_refused(share):
    with pytest.raises(ValueError, match=rf"split.val, a share, to be in \(0, 1\), got {share}"):
        SplitSettings(val=share).complete({"train": SOURCE}, "abcd")


def test_a_number_of_each_class_is_set_aside():
    """As in the Simpsons: twenty test images per class."""
    sources = SplitSettings(test_per_class=20, val=0.2).complete({"train": SOURCE}, "abcd")
    assert np.bincount(sources["test"].labels).tolist() == [20] * 4
    assert np.bincount(sources["val"].labels).tolist() == [1] * 4
    assert len(sources["train"]) == 16


def test_the_last_images_are_set_aside_in_their_order():
    """As in FER2013: validate on the last rows."""
    sources = SplitSettings(test=0, val_last_n=30).complete({"train": SOURCE}, "abcd")
    assert sources["val"].names == NAMES[70:]
    assert "test" not in sources
    sources = SplitSettings(test_last_n=10, val_last_n=30).complete({"train": SOURCE}, "abcd")
    assert (sources["val"].names, sources["test"].names) == (NAMES[60:90], NAMES[90:])


def test_groups_are_never_divided():
    groups = [f"original {index // 8}" for index in range(100)]
    labels = np.arange(100) // 8 % 4
    source = ImageSource(SOURCE.reader, labels, NAMES, groups)
    sources = SplitSettings(val=0.3, test=0.2).complete({"train": source}, "abcd")
    parts = [set(part.groups) for part in sources.values()]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 13
    assert all(len(set(part.labels)) == 4 for part in sources.values())


def test_a_class_of_one_group_stays_in_training():
    stay, aside = stratified_split(["x", "x", "x", "y", "z"], np.array([0, 0, 0, 1, 1]), 0.5, 0)
    assert {0, 1, 2} <= set(stay)
    assert len(aside) == 1


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (SplitSettings(test_per_class=25), "split.test_per_class is 25, but a has only 25 images"),
        (SplitSettings(val_last_n=500), "split.val_last_n is 500; expected 1 to"),
        (
            SplitSettings(val_last_n=5, val_per_class=2),
            "val_per_class or split.val_last_n, not both",
        ),
    ],
)
def test_more_images_than_exist_cannot_be_set_aside(split, message):
    with pytest.raises(ValueError, match=message):
        split.complete({"train": SOURCE}, "abcd")


def test_sample_takes_images_of_all_classes_in_turn():
    labels = np.array([0, 0, 0, 1, 2, 2])
    assert spread(labels, 5) == [0, 1, 3, 4, 5]


def test_sample_of_fewer_images_than_classes_is_spread_over_them():
    assert spread(np.arange(10), 3) == [0, 4, 9]


def test_sample_of_more_images_than_there_are_takes_all():
    assert spread(np.array([0, 1]), 9) == [0, 1]
