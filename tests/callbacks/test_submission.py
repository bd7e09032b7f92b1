import pytest

from callbacks.submission import fill_submission, wants_numbers

NAMES = ["a/cat_1.jpg", "a/dog_2.jpg", "b/cat_3.jpg"]
CLASSES = ("cat", "dog")


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
        ("id,x,y\n1,2,3\n", "rows of two columns, an id and an answer; it has 1 rows of id, x, y"),
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
    ("answer", "classes", "numbers"),
    [
        ("0", "ab", True),
        ("0.0", "ab", True),
        ("a", "ab", False),
        ("", "ab", False),
        ("0", "01", False),
    ],
)
def test_form_of_the_answers_is_that_of_the_sample(sample, answer, classes, numbers):
    assert wants_numbers(sample(f"id,answer\nx,{answer}\n"), list(classes)) is numbers
