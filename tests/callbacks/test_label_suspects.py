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
        "doubt": [find().doubt] * 2,
    }


def test_only_likely_errors_are_fixes_and_keep_their_ranks():
    assert believed(wrong=1, flagged=1).fixes(("cat", "dog")).splitlines() == [
        "image,label,suggested,label_probability,suggested_probability,split,rank",
        "a,cat,dog,0.4,0.6,val,1",
    ]


def believed(wrong, flagged):
    """Suspects of eight images: another class is preferred for some, and some are flagged."""
    source = {"val": source_of(list("abcdefgh"))}
    own = torch.where(torch.arange(8) < wrong, 0.4, 0.6)
    probabilities = torch.stack([own, 1 - own], dim=1)
    labels = torch.zeros(8, dtype=torch.long)
    suspects = find_suspects(source, {"val": torch.arange(8)}, labels, probabilities)
    suspects.errors.likely[:flagged] = True
    return suspects


def test_more_than_a_quarter_of_preferred_other_classes_leaves_no_likely_error():
    assert believed(wrong=2, flagged=2).likely.sum() == 2
    doubted = believed(wrong=3, flagged=1)
    assert not doubted.believable
    assert not doubted.likely.any()
    assert len(doubted.fixes(("cat", "dog")).splitlines()) == 1
    table = doubted.ranking(("cat", "dog"), 8)
    assert table["confident"] == [False] * 8
    assert table["doubt"][7].startswith(
        "another class is preferred for 3 of 8 images (38%), more than 25%, so"
    )


def test_images_of_a_network_that_learned_little_have_no_likely_errors_beside_others():
    both = believed(wrong=0, flagged=1) + believed(wrong=3, flagged=3)
    assert both.believable  # 3 of 16
    assert both.likely.nonzero().flatten().tolist() == [0]
    assert both.note.startswith("none of val, since another class is preferred for 3 of 8 images")
    assert both.ranking(("cat", "dog"), 2)["doubt"] == [both.note] * 2
    assert not (believed(wrong=0, flagged=1) + believed(wrong=1, flagged=1)).note


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
