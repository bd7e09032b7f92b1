"""Groups and subjects in the report, the model card and the comparison of runs."""

import pytest

from lightning_app.cli.model_card.model_card import model_card
from lightning_app.commands.compare.numbers import number_rows
from lightning_app.commands.report.group_notes import group_notes, subject_notes
from lightning_app.pages.words import UNKNOWN, Words
from lightning_app.store.stored_run import open_stored_run

GROUPS = {
    "column": ["camera", "camera", "site"],
    "group": ["phone", "reflex", "Oslo"],
    "images": [90, 300, 200],
    "correct": [61, 273, 180],
    "accuracy": [61 / 90, 0.91, 0.9],
    "low": [0.576, 0.87, 0.85],
    "high": [0.765, 0.94, 0.93],
    "accuracy of the rest": [0.91, 61 / 90, 0.9],
    "of the rest, with its classes": [0.7, 0.68, None],
    "p-value (Holm)": [1e-6, 1e-6, 1.0],
    "ece": [0.2, 0.03, 0.04],
    "worse": [True, False, False],
}
HIDDEN = {"group": [1, 1], "image": ["a.png", "b.png"], "said": ["60 similar images."] * 2}
SUBJECT = {
    "class": ["all", "cat", "dog"],
    "images": [20, 10, 10],
    "evidence inside": [0.3, 0.5, 0.1],
    "low": [0.2, 0.4, 0.05],
    "high": [0.4, 0.6, 0.15],
    "by chance (area)": [0.25, 0.25, 0.25],
    "pointing game": [0.5, 0.9, 0.1],
    "elsewhere": [False, False, True],
    "by chance": [True, False, True],
}


@pytest.fixture
def records(make_run, client):
    """A run with groups and subjects, and one without."""
    tables = {"groups_test": GROUPS, "hidden_groups_val": HIDDEN, "subject_val": SUBJECT}
    metrics = {"test/worst_group_accuracy": 61 / 90, "val/evidence_inside": 0.3}
    runs = [make_run(metrics=metrics, tables=tables), make_run(metrics={"val/accuracy": 0.9})]
    one, two = (open_stored_run(client, client.get_run(run_id)) for run_id in runs)
    with one as first, two as second:
        yield first, second


def test_report_names_the_worse_group_and_what_explains_it(records):
    worse, hidden = group_notes(records[0], Words("en"))
    assert worse == (
        "camera = phone: 61 of 90 images (test) are classified correctly, 68 % (58 to 76), against "
        "91 % of the rest. The difference is more than chance explains. With the classes of this "
        "group, the rest would have 70 %."
    )
    assert hidden == "A group of images that no column names (validation): 60 similar images."
    assert "其余图片为 91%" in group_notes(records[0], Words("zh"))[0].replace(" %", "%")


def test_report_names_the_class_whose_evidence_is_elsewhere(records):
    whole, dog = subject_notes(records[0], Words("en"))
    assert whole == (
        "30 % (20 to 40) of the evidence (validation) lies inside the subject, which covers 25 % "
        "of the image; the strongest lies inside in 50 %. That is no more than by chance."
    )
    assert dog.startswith("dog: 10 % of the evidence lies inside, less than the 25 %")


def test_run_without_groups_has_no_notes_and_no_sections(records):
    assert group_notes(records[1], Words("en")) == subject_notes(records[1], Words("en")) == []
    assert "by group" not in model_card(records[1], "pets")


def test_model_card_has_every_group(records):
    card = model_card(records[0], "pets")
    assert "## Quantitative analysis by group" in card
    assert "Worse: camera = phone." in card
    assert "| camera | phone | 90 | 67.8 % | 57.6 to 76.5 | 91.0 % | 0.200 | worse |" in card
    assert "| dog | 10 | 10.0 % | 5.0 to 15.0 | 25.0 % | 10.0 % |" in card


def test_runs_are_compared_by_their_worst_group_and_their_corrupted_images(
    make_run, client, records
):
    def corrupted(accuracy):
        return {
            "corruption": ["none", "fog", "fog"], "strength": [0, 1, 2], "images": [45] * 3,
            "accuracy": [0.8, accuracy, accuracy - 0.2], "digest": ["abcd"] * 3,
        }  # fmt: skip

    tables = {"corruptions_test_seen": corrupted(0.7)}
    run_id = make_run(tables={**tables, "corruptions_test": corrupted(0.6)})
    with open_stored_run(client, client.get_run(run_id)) as third:
        rows = dict(number_rows([records[0], third], Words("en")))
    shown = {label: [number.value for number in row] for label, row in rows.items()}
    assert shown["lowest accuracy of a group, test"] == ["67.78 %", UNKNOWN]
    assert shown["evidence inside the subject, validation"] == ["30.00 %", UNKNOWN]
    assert shown["images corrupted (test)"] == [UNKNOWN, "45, abcd"]
    assert shown["images corrupted (test, with training images)"] == [UNKNOWN, "45, abcd"]
    assert shown["    fog"] == [
        UNKNOWN,
        "60.00 %",
    ]  # the last of equal labels: with training images
