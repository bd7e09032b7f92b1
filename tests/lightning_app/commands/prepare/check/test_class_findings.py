from pathlib import Path

from lightning_app.commands.prepare.check.class_findings import class_findings
from lightning_app.commands.prepare.check.findings import Entry, class_counts, class_names


def entries(**splits):
    """The given number of images of each class in each split."""
    return [
        Entry(f"{split}/{label}/{number}.png", Path(), split, label)
        for split, counts in splits.items()
        for label, count in counts.items()
        for number in range(count)
    ]


def found(**splits):
    return [
        (finding.severity, finding.title, [str(group[0].name) for group in finding.groups])
        for finding in class_findings(entries(**splits))
    ]


def test_balanced_classes_have_no_finding():
    assert found(train={"cat": 10, "dog": 100}, val={"cat": 1, "dog": 1}) == []


def test_imbalance_names_the_small_classes():
    assert found(train={"ant": 11, "bee": 2, "cat": 21, "dog": 3}) == [
        ("warning", "The largest class has 10 times the images of the smallest", ["bee"])
    ]


def test_class_with_a_single_image():
    assert found(train={"cat": 1, "dog": 2}) == [
        ("warning", "Classes with a single training image", ["cat"])
    ]


def test_class_without_training_images():
    assert found(train={"cat": 2, "dog": 2}, val={"cat": 1, "dog": 1, "eel": 1}) == [
        ("error", "Classes without training images", ["eel"])
    ]


def test_class_without_validation_images():
    assert found(train={"cat": 2, "dog": 2}, val={"cat": 1}, test={"": 3}) == [
        ("note", "Classes without validation or test images", ["dog"])
    ]


def test_one_class_is_too_few():
    assert found(train={"cat": 2}) == [("error", "Fewer than two classes", ["cat"])]


def test_classes_are_in_alphabetical_or_numerical_order():
    assert class_names(entries(train={"b": 1, "A": 1, "10": 1})) == ["10", "A", "b"]
    assert class_names(entries(train={"10": 1, "9": 1})) == ["9", "10"]


def test_counts_of_images_without_a_label_come_last():
    assert class_counts(entries(test={"": 2}, train={"cat": 1})) == {
        "cat": {"train": 1, "test": 0},
        "": {"train": 0, "test": 2},
    }
