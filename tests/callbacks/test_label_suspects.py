import torch

from callbacks.label_suspects import copy_groups, find_suspects
from datamodules import SyntheticDataModule
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.source import ImageSource


def source_of(names, groups=()):
    labels = torch.zeros(len(names), dtype=torch.long).numpy()
    images = torch.zeros(len(names), 2, 2, 1, dtype=torch.uint8).numpy()
    return ImageSource(ArrayReader(images), labels, names, groups)


SOURCES = {"val": source_of(["a", "b"]), "train": source_of(["c", "d", "e"])}
PLACES = {"val": torch.tensor([1]), "train": torch.tensor([0, 2])}


def find():
    probabilities = torch.tensor([[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]])
    return find_suspects(SOURCES, PLACES, torch.tensor([1, 0, 0]), probabilities)


def test_ranking_names_each_image_and_begins_with_the_least_probable_label():
    assert find().ranking(("cat", "dog"), num_rows=2) == {
        "image": ["c", "b"],
        "label": ["cat", "dog"],
        "suggested": ["dog", "cat"],
        "label_probability": [0.25, 0.5],
        "suggested_probability": [0.75, 0.5],
        "split": ["train", "val"],
        "rank": [1, 2],
        "confident": [False, False],  # too few images of each class
    }


def test_only_likely_errors_are_fixes_and_keep_their_ranks():
    suspects = find()
    suspects.errors.likely[0] = True
    assert suspects.fixes(("cat", "dog")).splitlines() == [
        "image,label,suggested,label_probability,suggested_probability,split,rank",
        "b,dog,cat,0.5,0.5,val,2",
    ]


def test_suspects_of_two_splits_are_ranked_together():
    both = find() + find()
    assert both.names == ["b", "c", "e"] * 2
    assert both.errors.order().tolist() == [1, 4, 0, 3, 2, 5]


def test_copies_of_one_original_have_one_number():
    sources = {"val": source_of(["a", "b"], ["x", "y"]), "train": source_of(["c", "d", "e"])}
    assert copy_groups(SOURCES, PLACES) is None
    numbers = copy_groups(sources | {"train": source_of("cde", "yde")}, PLACES)
    assert numbers[0] == numbers[1] != numbers[2]


def test_images_of_a_datamodule_are_named():
    data = SyntheticDataModule(num_images=40)
    places = {"val": torch.arange(3)}
    probabilities = torch.full((3, 4), 0.25)
    suspects = find_suspects(
        data.sources, places, torch.from_numpy(data.sources["val"].labels[:3]), probabilities
    )
    assert suspects.names == data.sources["val"].names[:3]
