"""Label errors that the command finds, and that its file corrects."""

import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from jsonargparse import Namespace

from datamodules import ImageFolderDataModule, Options
from lightning_app.commands.suspects.suspects import _warn_if_random
from lightning_app.main import main

CONFIGS = Path(__file__).parents[3] / "configs"
ERRORS = {"dark/bright_3.png", "bright/dark_8.png"}


@pytest.fixture
def images(workplace):
    """Bright and dark noise, an image of each in the other's folder."""
    rng = np.random.default_rng(0)
    for index in range(20):
        for label, level in (("bright", 180), ("dark", 60)):
            folder = "dark" if (label, index) == ("bright", 3) else label
            folder = "bright" if (label, index) == ("dark", 8) else folder
            file = workplace / "images" / folder / f"{label}_{index}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = rng.normal(level, 25, (16, 16, 3)).clip(0, 255)
            cv2.imwrite(str(file), pixels.astype(np.uint8))
    return workplace / "images"


@pytest.fixture
def command(images):
    small = ["--data.image_size", "16", "--data.num_workers", "0", "--model.backbone", "SmallCNN"]
    config = ["--config", str(CONFIGS / "folder.yaml"), "--data.root", str(images), *small]
    return ["suspects", *config, "--splits", "[train, val, test]"]


def test_label_errors_come_first_and_are_corrected(command, images, workplace, capsys):
    with pytest.warns(UserWarning, match="SmallCNN has random weights: nei"):
        main(command)
    ranking = pd.read_csv(workplace / "suspects" / "label_suspects.csv")
    assert set(ranking.image[:2]) == ERRORS
    assert len(ranking) == 40
    assert (workplace / "suspects" / "label_suspects.png").stat().st_size > 0
    fixes = workplace / "suspects" / "label_fixes.csv"
    assert set(pd.read_csv(fixes).image) == ERRORS
    printed = capsys.readouterr().out
    assert "2 of 40 labels are likely errors. The most suspicious (* is one of the 2):" in printed
    starred = [line.split()[1] for line in printed.splitlines() if line.startswith("* ")]
    assert set(starred) == ERRORS
    options = Options(label_fixes=fixes)
    data = ImageFolderDataModule(images, image_size=16, num_workers=0, options=options)
    corrected = {
        name: data.class_names[label]
        for source in data.sources.values()
        for name, label in zip(source.names, source.labels, strict=True)
    }
    assert all(Path(name).name.startswith(label) for name, label in corrected.items())


def test_dataset_may_be_a_path(images):
    small = ["--data.image_size=16", "--data.num_workers=0", "--data.split.test=0"]
    main(["suspects", str(images), *small, "--model.backbone=SmallCNN", "--corners=false"])
    ranking = pd.read_csv("suspects/label_suspects.csv")
    files = images.glob("*/*.png")
    assert set(ranking.image) == {file.relative_to(images).as_posix() for file in files}


def test_network_that_doubts_most_labels_corrects_none(command, workplace, capsys, monkeypatch):
    (workplace / "suspects").mkdir()
    (workplace / "suspects" / "label_fixes.csv").write_text("of an earlier call")
    monkeypatch.setattr("callbacks.label_suspects.MAX_SHARE", 0.04)
    main(command)
    assert not (workplace / "suspects" / "label_fixes.csv").exists()
    assert (workplace / "suspects" / "label_suspects.csv").exists()
    printed = capsys.readouterr().out
    assert (
        "No suspects/label_fixes.csv: another class is preferred for 2 of 40 images (5%),"
        in printed
    )
    assert "2 of 40 labels look wrong, too many to believe. The most suspicious:" in printed
    assert "--data.options.label_fixes" not in printed


def test_pretrained_network_has_no_warning(recwarn):
    backbone = Namespace(class_path="TimmBackbone", init_args=Namespace(weights="net.pth"))
    _warn_if_random(Namespace(init_args=Namespace(backbone=backbone)))
    assert not recwarn.list


def test_missing_configuration_is_an_error(capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["suspects"])
    assert "`suspects` needs a dataset and a network: --config FILE.yaml" in capsys.readouterr().err


def test_split_that_the_dataset_lacks_is_an_error(command, capsys):
    with pytest.raises(SystemExit, match="1"):
        main([*command, "--data.split.test", "0"])
    assert "The dataset has no test images; its splits are train, val." in capsys.readouterr().err


NAMES = [f"{label}/{label}_{n}.png" for label in ("bright", "dark") for n in range(10, 13)]


@pytest.fixture
def rank(images):
    """Function that ranks six images by the probabilities of bright, and returns the table."""
    small = ["--data.image_size", "16", "--data.num_workers", "0", "--data.split.test", "0"]
    config = ["--config", str(CONFIGS / "folder.yaml"), "--data.root", str(images), *small]

    def run(bright, **columns):
        table = {"image": NAMES, "probability of bright": bright}
        table["probability of dark"] = [round(1 - value, 6) for value in bright]
        pd.DataFrame(table | columns).to_csv("mine.csv", index=False)
        main(["suspects", *config, "--predictions", "mine.csv"])
        return pd.read_csv("suspects/label_suspects.csv")

    return run


def test_predictions_of_others_rank_the_labels_by_their_probability(rank, capsys):
    ranking = rank([0.9, 0.2, 0.7, 0.05, 0.6, 0.3])
    # By hand: bright_11 has .2 of bright, dark_11 .4 of dark, then .7, .7, .9, .95.
    assert ranking.image.map(NAMES.index).tolist()[:2] == [1, 4]
    assert ranking.label_probability.tolist() == [0.2, 0.4, 0.7, 0.7, 0.9, 0.95]
    assert ranking.suggested.tolist()[:2] == ["dark", "bright"]
    assert "2 of 6 labels look wrong, too many to believe." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": [*NAMES[:5], "dark/x.png"]}, r"1 of 6 images .* no labelled images .* dark/x"),
        ({"image": [*NAMES[:5], NAMES[0]]}, "bright/bright_10.png is there twice"),
        ({"probability of dark": [0.5] * 6}, "that sum to 1; those of bright/bright_10.png do not"),
    ],
)
def test_predictions_that_do_not_fit_the_dataset_are_refused(rank, capsys, columns, message):
    with pytest.raises(SystemExit, match="1"):
        rank([0.9, 0.2, 0.7, 0.05, 0.6, 0.3], **columns)
    assert re.search(message, " ".join(capsys.readouterr().err.split()))


def test_predictions_without_a_dataset_or_of_no_run_are_refused(images, capsys):
    Path("mine.csv").write_text("image\n")
    for value, message in (("mine.csv", "images of mine.csv are not known"), ("no", "no run")):
        with pytest.raises(SystemExit, match="1"):
            main(["suspects", "--predictions", value])
        assert message in capsys.readouterr().err
