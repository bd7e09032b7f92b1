"""Label errors that the command finds, and that its file corrects."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from jsonargparse import Namespace

from datamodules import ImageFolderDataModule, Options
from lightning_app.commands.suspects import _warn_if_random
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


def test_network_that_doubts_most_labels_corrects_none(command, workplace, capsys, monkeypatch):
    (workplace / "suspects").mkdir()
    (workplace / "suspects" / "label_fixes.csv").write_text("of an earlier call")
    monkeypatch.setattr("callbacks.label_suspects.MAX_SHARE", 0.04)
    main(command)
    assert not (workplace / "suspects" / "label_fixes.csv").exists()
    assert (workplace / "suspects" / "label_suspects.csv").exists()
    printed = capsys.readouterr().out
    assert "No suspects/label_fixes.csv: more than 4% of the labels look wrong" in printed
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
