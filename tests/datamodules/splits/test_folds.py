"""Folds: what scikit-learn's StratifiedGroupKFold guarantees, and stability beside it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from datamodules.sources.arrays import ArrayReader
from datamodules.sources.source import ImageSource
from datamodules.splits.folds import ALWAYS_TRAINED, assign_folds
from datamodules.splits.settings import SplitSettings

NAMES = [f"{index:03d}.png" for index in range(103)]
LABELS = np.arange(103) % 4


def of(names, labels, groups=()):
    return ImageSource(
        ArrayReader(np.zeros((len(names), 1, 1, 1), np.uint8)), labels, names, groups
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=8, max_size=60),
    st.integers(2, 6),
    st.integers(0, 3),
)
def test_no_group_is_torn_and_every_image_of_a_class_with_two_groups_is_in_a_fold(
    sizes, folds, seed
):
    groups = [f"g{number}" for number, (_, size) in enumerate(sizes) for _ in range(size)]
    labels = np.array([label for label, size in sizes for _ in range(size)])
    found = assign_folds(groups, labels, folds, seed)
    for group in set(groups):
        assert len({fold for fold, own in zip(found, groups, strict=True) if own == group}) == 1
    for label in set(labels.tolist()):
        own = set(found[labels == label].tolist())
        several = len({g for g, k in zip(groups, labels, strict=True) if k == label}) > 1
        if several:  # each end of a fold is at most half a group away from an equal part
            counts = np.bincount(found[labels == label], minlength=folds)
            largest = max(size for k, size in sizes if k == label)
            assert abs(counts - counts.mean()).max() <= largest
        # A network of a fold has seen the class, so no fold holds all of it.
        assert (len(own) > 1 and ALWAYS_TRAINED not in own) if several else own == {ALWAYS_TRAINED}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=10, max_size=90), st.integers(2, 6))
def test_class_counts_of_two_folds_differ_by_one_at_most_without_groups(labels, folds):
    labels = np.array(labels)
    found = assign_folds([str(index) for index in range(len(labels))], labels, folds, seed=0)
    for label in set(labels.tolist()):
        own = found[labels == label]
        if len(own) > 1:
            counts = np.bincount(own, minlength=folds)
            assert counts.max() - counts.min() <= 1


def test_classes_are_divided_as_by_scikit_learn_without_groups():
    names = [f"{index}" for index in range(203)]
    labels = np.random.default_rng(0).integers(0, 4, 203)
    found, theirs = assign_folds(names, labels, 5, seed=0), np.zeros(203, int)
    reference = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    for fold, (_, test) in enumerate(reference.split(names, labels, names)):
        theirs[test] = fold
    for label in range(4):
        mine, others = (np.bincount(each[labels == label], minlength=5) for each in (found, theirs))
        assert sorted(mine) == sorted(others)


def test_added_images_move_few_of_the_others():
    before = assign_folds(NAMES, LABELS, 5, seed=0)
    after = assign_folds([*NAMES, "new.png"], np.append(LABELS, 0), 5, seed=0)
    assert (before != after[:-1]).sum() <= 4  # one across each cut of its class
    assert (before != after[:-1])[LABELS != 0].sum() == 0


def test_folds_depend_on_names_and_not_on_their_order():
    found = assign_folds(NAMES, LABELS, 5, seed=0)
    backwards = assign_folds(NAMES[::-1], LABELS[::-1], 5, seed=0)
    assert found.tolist() == backwards[::-1].tolist()
    assert found.tolist() != assign_folds(NAMES, LABELS, 5, seed=1).tolist()


def test_folds_share_the_test_set_of_a_plain_split_and_divide_the_rest():
    plain = SplitSettings().complete({"train": of(NAMES, LABELS)}, "abcd")
    rest, validated = {*plain["train"].names, *plain["val"].names}, []
    for fold in range(3):
        found = SplitSettings(folds=3, fold=fold).complete({"train": of(NAMES, LABELS)}, "abcd")
        assert found["test"].names == plain["test"].names
        assert {*found["train"].names, *found["val"].names} == rest
        validated += found["val"].names
    assert sorted(validated) == sorted(rest)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1, "fold": 0}, "split.folds is 1; expected 2 or more"),
        ({"fold": 0}, "split.folds is None; expected 2 or more"),
        ({"folds": 5, "fold": 5}, "split.fold is 5; expected 0 to 4, as there are 5 folds"),
        ({"folds": 5}, "split.fold is None; expected 0 to 4"),
        ({"folds": 5, "fold": 0, "val_last_n": 3}, "Give split.folds or split.val_last_n"),
    ],
)
def test_folds_that_do_not_exist_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SplitSettings(**options)


def test_validation_images_of_the_dataset_are_not_silently_left_out():
    given_sources = {"train": of(NAMES, LABELS), "val": of(["a"], np.array([0]))}
    with pytest.raises(ValueError, match="has validation images of its own, which no fold would"):
        SplitSettings(folds=2, fold=0).complete(given_sources, "abcd")
