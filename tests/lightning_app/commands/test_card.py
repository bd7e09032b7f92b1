"""Tests of the model card: its block of metadata, and that it holds what the run has recorded."""

import pytest
import yaml

from lightning_app.cli.model_card import limits, sections
from lightning_app.main import main

CONFUSIONS = {
    "true": ["cat"],
    "predicted": ["dog"],
    "images": [3],
    "share of the true class": [0.125],
}
PER_CLASS = {
    "class": ["cat", "d|g"],
    "precision": [0.5, 1.0],
    "recall": [1.0, 0.25],
    "f1": [0.6667, 0.4],
    "support": [24, 16],
}
SUSPECTS = {"image": ["a.png", "b.png"], "rank": [1, 2], "confident": [True, False]}
METRICS = {
    "test/accuracy": 0.9,
    "test/loss": 0.25,
    "test/ece": 0.0625,
    "val/honesty_grad_cam_deletion": 0.125,
    "val/honesty_grad_cam_insertion": 0.5,
    "val/honesty_grad_cam_randomization": -0.25,
}


HONESTY = {
    "method": ["grad_cam", "vanilla"], "images": [16, 16], "flat maps": [0.0, 0.0],
    "randomization": [0.83, 0.1], "deletion": [0.44, 0.2], "deletion elsewhere": [0.43, 0.5],
    "p-value": [0.61, 0.001], "failed": ["randomization, deletion", ""],
}  # fmt: skip


@pytest.fixture
def run_id(make_run, add_split):
    tables = {
        "per_class_test": PER_CLASS, "confusions_test": CONFUSIONS, "label_suspects_val": SUSPECTS,
        "honesty_val": HONESTY,
    }  # fmt: skip
    options = {"width": 8, "checkpoint": "/mnt/all/net.pth", "allow": "[]", "drop": None}
    params = {f"model.backbone.{name}": value for name, value in options.items()}
    params |= {"model.backbone": "models.SmallCNN", "data": "ImageFolderDataModule"}
    run_id = make_run(params, METRICS, tables)
    add_split(run_id, "train", {"cat": 100, "d|g": 12})
    add_split(run_id, "test", {"cat": 24, "d|g": 16})
    return run_id


@pytest.fixture
def card(run_id, workplace):
    main(["card", "net-1a2b", "--name", "pets", "--out", "card.md"])
    return (workplace / "card.md").read_text()


def test_hubs_can_read_the_metadata(card):
    _, block, text = card.split("---\n", 2)
    metadata = yaml.safe_load(block)
    assert metadata["pipeline_tag"] == "image-classification"
    [index] = metadata["model-index"]
    assert index["name"] == "pets"
    [result] = index["results"]
    assert result["task"]["type"] == "image-classification"
    assert result["dataset"] == {"name": "ImageFolder", "type": "ImageFolder", "split": "test"}
    assert result["metrics"] == [{"type": "accuracy", "name": "accuracy", "value": 0.9}]
    assert text.startswith("\n# pets\n")


@pytest.mark.parametrize(
    "line",
    [
        "| train | 112 | `0123abcd` |",
        "| d\\|g | 12 | 16 |",
        "| Network | SmallCNN (checkpoint net.pth, width 8) |",
        "| test | 40 | epoch 0 | accuracy | 90.00 % | 76.95 to 96.04 |",
        "| cat | 24 | 50.0 % | 100.0 % | 66.7 % |  |",
        "| expected calibration error | test | 0.0625 |",
        "| cat | dog | 3 | 12.5 % |",
        "| grad_cam | 0.125 | 0.500 | -0.250 |",
        "- The answer is always one of the 2 classes. An image of something else is only marked "
        "if it is unlike all that the network was trained on; classes that were left out mostly "
        "are not.",
        "- Classes with fewer than 30 training images: d|g (12).",
    ],
)
def test_the_card_holds_what_the_run_has_recorded(card, line):
    assert line in card.splitlines()


def test_maps_that_failed_a_check_are_named_with_the_figures(card):
    assert (
        "**Do not trust the maps of grad_cam: random weights give nearly the same maps (rank "
        "correlation 0.83); what they mark matters little more than other places, if at all "
        "(deletion 0.44, elsewhere 0.43, p = 0.61, 16 images).**\n"
    ) in card
    assert "maps of vanilla" not in card


def test_likely_label_errors_are_counted(card):
    assert "\n1 label is likely wrong by confident learning" in card


def test_the_intended_use_is_left_for_a_person(card):
    assert "## Intended use\n\n*To be filled in by the person" in card


def test_sections_without_facts_are_left_out(make_run, workplace):
    make_run(name="empty")
    main(["card", "empty", "--out", "card.md"])
    titles = [
        line for line in (workplace / "card.md").read_text().splitlines() if line[:3] == "## "
    ]
    assert titles == ["## Intended use", "## Training", "## Limits"]


def test_the_card_joins_the_run(run_id, client, capsys):
    main(["card", run_id])
    assert "artifacts/model_card.md" in capsys.readouterr().out
    assert "model_card.md" in [file.path for file in client.list_artifacts(run_id)]


def test_very_many_classes_are_listed_in_part_and_the_card_says_so(run_id, workplace, monkeypatch):
    monkeypatch.setattr(sections, "MOST_ROWS", 1)
    monkeypatch.setattr(limits, "MOST_NAMED", 1)
    monkeypatch.setattr(limits, "FEW", 200)
    main(["card", "net-1a2b", "--out", "card.md"])
    text = (workplace / "card.md").read_text()
    assert "The first 1 of 2 classes; `tables/class_counts.json` of the run has all." in text
    assert "The 1 classes with the lowest F1 of 2; `tables/per_class_test.json`" in text
    assert "| d\\|g | 16 | 100.0 %" in text
    assert "| cat | 24 |" not in text
    assert "Classes with fewer than 200 training images: cat (100), and 1 more." in text
