import numpy as np
import pandas as pd
import pytest

from callbacks.submission import fill_submission as fill
from callbacks.submission import read_submission

NAMES = ["a/cat_1.jpg", "a/dog_2.jpg", "b/cat_3.jpg"]
CLASSES = ("cat", "dog")
ABC = ("cat", "dog", "hot_dog")
SCORES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.25, 0.5, 0.25]])


def fill_submission(file, names, predicted, classes):
    """With a probability of 1 of each prediction."""
    return fill(file, names, np.eye(len(classes))[predicted], classes)


@pytest.fixture
def sample(tmp_path):
    def write(text):
        file = tmp_path / "sample.csv"
        file.write_text(text)
        return file

    return write


@pytest.mark.parametrize(
    "ids", [["b/cat_3.jpg", "a/cat_1.jpg", "a/dog_2.jpg"], ["cat_3", "cat_1", "dog_2"]]
)
def test_rows_keep_order_and_spelling_of_the_sample(sample, ids):
    rows = "".join(f"{name},?\n" for name in ids)
    table = fill_submission(sample(f"Id,Category\n{rows}"), NAMES, [0, 1, 1], CLASSES)
    assert table.to_csv(index=False) == (f"Id,Category\n{ids[0]},dog\n{ids[1]},cat\n{ids[2]},dog\n")


def test_numeric_answers_are_class_indices(sample):
    file = sample("id,label\ncat_1.jpg,0\ndog_2.jpg,0\ncat_3.jpg,0\n")
    assert fill_submission(file, NAMES, [0, 1, 1], CLASSES)["label"].tolist() == ["0", "1", "1"]


def test_numeric_class_names_are_answered_by_name(sample):
    file = sample("id,label\ncat_1.jpg,0\ndog_2.jpg,0\ncat_3.jpg,0\n")
    assert fill_submission(file, NAMES, [0, 1, 1], ("3", "7"))["label"].tolist() == ["3", "7", "7"]


@pytest.mark.parametrize("first", [0, 1])
def test_rows_of_a_pixel_csv_have_their_number_as_id(sample, first):
    names = [f"test.csv:{line}" for line in (2, 3, 4)]
    file = sample(f"id,emotion\n{first + 2},0\n{first},0\n{first + 1},0\n")
    table = fill_submission(file, names, [0, 1, 1], CLASSES)
    assert table.to_csv(index=False) == f"id,emotion\n{first + 2},1\n{first},0\n{first + 1},1\n"


def test_rows_of_a_pixel_csv_can_have_file_and_line_as_id(sample):
    file = sample("id,emotion\ntest.csv:3,x\ntest.csv:2,x\n")
    table = fill_submission(file, ["test.csv:2", "test.csv:3"], [0, 1], CLASSES)
    assert table["emotion"].tolist() == ["dog", "cat"]


def test_other_ids_for_a_pixel_csv_are_refused(sample):
    file = sample("id,emotion\n7,0\n8,0\n")
    with pytest.raises(
        ValueError, match="2 rows of a pixel CSV; expected their row numbers, counted from 0 or 1"
    ):
        fill_submission(file, ["test.csv:2", "test.csv:3"], [0, 1], CLASSES)


def test_leading_zeros_and_a_class_named_na_are_kept(sample):
    file = sample("id,answer\n007,x\n08,x\n")
    table = fill_submission(file, ["08.png", "007.png"], [0, 1], ("NA", "b"))
    assert table.to_csv(index=False) == "id,answer\n007,b\n08,NA\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,x\ncat_1,?\ncat_1,?\ndog_2,?\ncat_3,?\n", "expected every id once, got cat_1 twice"),
        (
            "id,x\ncat_1,?\ndog_2,?\n",
            r"expected a row for every image; there is none for b/cat_3\.jpg",
        ),
        ("id,x\ncat_1,?\ndog_2,?\ncat_4,?\n", r"there is no image cat_4\. Near names: .*cat_3"),
        ("id\n1\n", "two columns or more, an id and an answer; it has 1 rows of id"),
        ("id,x\n", "it has 0 rows"),
        ("", "is not a readable CSV file"),
    ],
)
def test_sample_that_does_not_fit_is_refused(sample, text, message):
    with pytest.raises(ValueError, match=rf"sample\.csv.*{message}"):
        fill_submission(sample(text), NAMES, [0, 0, 0], CLASSES)


def test_ambiguous_names_are_refused(sample):
    with pytest.raises(ValueError, match="ids are file names that occur in several folders"):
        fill_submission(sample("id,x\n1.jpg,?\n"), ["a/1.jpg", "b/1.jpg"], [0, 0], CLASSES)


def test_missing_sample_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"There is no sample submission .*none\.csv"):
        fill_submission(tmp_path / "none.csv", NAMES, [0, 0, 0], CLASSES)


@pytest.mark.parametrize(
    ("answer", "classes", "answers"),
    [
        ("0", "ab", ["1", "0"]),
        ("0.0", "ab", ["1", "0"]),
        ("2", "ab", ["2", "1"]),
        ("a", "ab", ["b", "a"]),
        ("", "ab", ["b", "a"]),
        ("0", "01", ["1", "0"]),
        ("0", "34", ["4", "3"]),
    ],
)
def test_form_of_the_answers_is_that_of_the_sample(sample, answer, classes, answers):
    file = sample(f"id,answer\nx,{answer}\ny,{answer}\n")
    assert fill_submission(file, ["x", "y"], [1, 0], list(classes))["answer"].tolist() == answers


IDS = ["cat_3", "cat_1", "dog_2"]
WIDE = [["0.25", "0.5", "0.25"], ["0.7", "0.2", "0.1"], ["0.1", "0.3", "0.6"]]


def rows_of(sample, header, rows):
    return sample("\n".join([header, *(",".join(row) for row in rows)]) + "\n")


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["cat", "dog", "hot_dog"], [0, 1, 2]),
        (["hot_dog", "cat", "dog"], [2, 0, 1]),
        (["Cat", "Dog", "Hot Dog"], [0, 1, 2]),
        (["prob_cat", "prob_dog", "prob_hot_dog"], [0, 1, 2]),
        (["dog_p", "cat_p", "hot_dog_p"], [1, 0, 2]),
        (["0", "1", "2"], [0, 1, 2]),
        (["class_3", "class_1", "class_2"], [2, 0, 1]),
        (["c00", "c01", "c02"], [0, 1, 2]),
    ],
)
def test_probabilities_go_to_the_column_of_their_class(sample, labels, order):
    file = rows_of(sample, ",".join(["id", *labels, "Usage"]), [[i, *"000", "P"] for i in IDS])
    expected = [[i, *(row[c] for c in order), "P"] for i, row in zip(IDS, WIDE, strict=True)]
    table = fill(file, NAMES, SCORES, ABC)
    assert table.columns.tolist() == ["id", *labels, "Usage"]
    assert table.to_numpy().tolist() == expected


@pytest.mark.parametrize("labels", [ABC, "012", "123"])
def test_a_row_per_image_and_class_gets_its_probability(sample, labels):
    pairs = [(i, labels[c]) for c in (2, 0, 1) for i in IDS]
    file = rows_of(sample, "id,class,probability", [[*pair, "0"] for pair in pairs])
    table = fill(file, NAMES, SCORES, ABC)
    assert [*zip(table["id"], table["class"], strict=True)] == pairs
    assert table["probability"].tolist() == [WIDE[i][c] for c in (2, 0, 1) for i in range(3)]


@pytest.mark.parametrize("ids", [IDS, ["b/cat_3.jpg", "a/cat_1.jpg", "a/dog_2.jpg"]])
@pytest.mark.parametrize("labels", [ABC, "012", "123"])
def test_an_id_can_be_image_and_class(sample, ids, labels):
    rows = [[f"{i}_{labels[c]}", "0"] for i in ids for c in (1, 2, 0)]
    table = fill(rows_of(sample, "Id,Predicted", rows), NAMES, SCORES, ABC)
    assert table["Id"].tolist() == [row[0] for row in rows]
    assert table["Predicted"].tolist() == [row[c] for row in WIDE for c in (1, 2, 0)]


@pytest.mark.parametrize(
    ("answer", "answers"),
    [
        ("cat dog", ["dog cat", "cat dog", "hot_dog dog"]),
        ("0 1 2", ["1 0 2", "0 1 2", "2 1 0"]),
        ("1 2 3", ["2 1 3", "1 2 3", "3 2 1"]),
    ],
)
def test_answers_separated_by_blanks_are_the_most_probable_classes(sample, answer, answers):
    file = rows_of(sample, "id,label", [[i, answer] for i in IDS])
    assert fill(file, NAMES, SCORES, ABC)["label"].tolist() == answers


@pytest.mark.parametrize(
    ("column", "place"), [("label", 1), ("is_dog", 1), ("prob_cat", 0), ("probability", 1)]
)
def test_of_two_classes_one_probability_is_enough(sample, column, place):
    file = rows_of(sample, f"id,{column}", [[i, "0.5"] for i in IDS])
    scores = np.array([[0.7, 0.3], [0.4, 0.6], [0.25, 0.75]])
    expected = [f"{scores[row, place]:g}" for row in (2, 0, 1)]
    assert fill(file, NAMES, scores, CLASSES)[column].tolist() == expected


@pytest.mark.parametrize(
    "ids",
    [
        ["a/cat_1", "a/dog_2", "b/cat_3"],
        ["test/cat_1.jpg", "test/dog_2.jpg", "test/cat_3.jpg"],
        ["cat_1.png", "dog_2.png", "cat_3.png"],
    ],
)
def test_ids_with_other_folders_and_endings_are_found(sample, ids):
    file = rows_of(sample, "id,label", [[i, "?"] for i in ids])
    assert fill_submission(file, NAMES, [0, 1, 0], CLASSES)["label"].tolist() == [
        "cat",
        "dog",
        "cat",
    ]


def test_id_and_answer_are_found_among_other_columns(sample):
    file = rows_of(sample, "index,id,label,Usage", [["9", i, "?", "Private"] for i in IDS])
    expected = pd.DataFrame({"index": "9", "id": IDS, "label": ["cat", "cat", "dog"]})
    filled = fill_submission(file, NAMES, [0, 1, 0], CLASSES)
    assert filled.equals(expected.assign(Usage="Private"))


def test_what_the_sample_decides_is_said_in_one_line(sample):
    file = rows_of(sample, "id,class_1,class_2,x", [[i, "0", "0", "?"] for i in IDS])
    assert read_submission(file, NAMES, CLASSES).description == (
        "ids in id are file names without ending; a probability for each class in class_1, class_2 "
        "(numbers of classes, 1 for cat to 2 for dog); kept as they are: x"
    )


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        ("id,cat,dog,x", ["0", "0", "?"], "there is no column for the class hot_dog"),
        ("id,p_cat,p_dog,p_hot_dog,p_bird", [*"0000"], "column p_bird looks like a probability"),
        ("id,cat,dog,hot_dog,bird", [*"0000"], "column bird looks like a probability"),
        ("id,a0,a1,a2,b0,b1,b2", [*"000000"], "columns of the classes may be a0, a1 … or b0, b1 …"),
        ("id,x,y", ["?", "?"], "the answer may be in the columns x, y; leave only one of them"),
        ("id,label", ["7"], "its answer 7 is no number of the 3 classes"),
        ("id,label", ["cat bird"], "answer 'cat bird' is neither a class nor a list of classes"),
        (
            "id,label",
            ["0.5"],
            "column label has probabilities; expected a column or a row for each",
        ),
    ],
)
def test_unclear_columns_are_refused(sample, header, cells, message):
    file = rows_of(sample, header, [[i, *cells] for i in IDS])
    with pytest.raises(ValueError, match=rf"sample\.csv: .*{message}"):
        fill(file, NAMES, SCORES, ABC)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["cat_1_cat", "cat_1_dog"], "expected a row for every image; there is none for a/dog_2"),
        (["cat_1_cat"], "one row for the image a/cat_1.jpg and the class dog, got 0"),
        (["cat_1_cat", "cat_1_bird"], "there is no image cat_1_cat"),
    ],
)
def test_combined_ids_that_do_not_fit_are_refused(sample, rows, message):
    with pytest.raises(ValueError, match=message):
        fill(rows_of(sample, "id,p", [[i, "0"] for i in rows]), NAMES, SCORES, CLASSES)


def test_an_id_that_can_be_split_in_two_ways_is_refused(sample):
    file = rows_of(sample, "id,p", [["a_hot_dog", "0"]])
    with pytest.raises(ValueError, match=r"its id a_hot_dog can be split .* in several ways"):
        fill(file, ["a.jpg", "a_hot.jpg"], SCORES[:2], ABC)


def test_a_class_that_is_missing_for_an_image_is_refused(sample):
    pairs = [[i, c, "0"] for i in IDS for c in CLASSES][:-1]
    with pytest.raises(ValueError, match="and the class dog, got 0"):
        fill(rows_of(sample, "id,class,p", pairs), NAMES, SCORES, CLASSES)


def test_a_list_of_classes_with_blanks_in_their_names_is_refused(sample):
    file = rows_of(sample, "id,label", [[i, "hot dog cat"] for i in IDS])
    with pytest.raises(ValueError, match="the class 'hot dog' has a blank in its name"):
        fill(file, NAMES, SCORES, ("cat", "dog", "hot dog"))
