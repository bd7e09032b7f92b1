"""Fixtures for tests of the published systems: small datasets in their layouts."""

import functools
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import timm
from torchvision.models._api import BUILTIN_MODELS
from torchvision.models.resnet import Bottleneck, _resnet

from lightning_app.main import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project_folder(workplace):
    """Working folder with the configurations and ablations of the repository."""
    for name in ("configs", "ablations"):
        shutil.copytree(ROOT / name, workplace / name)
    return workplace


def write_image(file, rng, size=(40, 40)):
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), rng.integers(0, 256, (*size, 3), np.uint8))


@pytest.fixture
def simpsons(project_folder):
    """Working folder with the dataset of S0 and S1: noisy images in class folders."""
    rng = np.random.default_rng(0)
    for name in ("bart", "homer", "lisa"):
        for index in range(8):
            write_image(project_folder / "data" / "simpsons" / name / f"{index}.jpg", rng)
    return project_folder


@pytest.fixture
def simpsons20(simpsons, monkeypatch):
    """The same with balanced copies, and networks without weights that are smaller than S1's."""
    counts = ["--per_class=10", "--val_per_class=2", "--test_per_class=2", "--processes=1"]
    main(["prepare", "augment", "data/simpsons", "--out", "data/simpsons20", *counts])
    shallow = {"width_per_group": 2, "progress": False}
    build = functools.partial(_resnet, Bottleneck, [1, 1, 1, 1], **shallow)
    functools.update_wrapper(build, BUILTIN_MODELS["resnext101_32x8d"])
    monkeypatch.setitem(BUILTIN_MODELS, "resnext101_32x8d", build)
    create = functools.partial(timm.create_model, base_width=1, layers=(1, 1, 1, 1))
    monkeypatch.setattr(timm, "create_model", create)
    smaller = {
        "pretrained: true": "pretrained: false",
        "[3, 4, 23, 3]": "[1, 1, 1, 1]",
        "group_width: 48": "group_width: 1",
    }
    for file in ("configs/simpsons_resnext101.yaml", "ablations/simpsons_variants.yaml"):
        text = (simpsons / file).read_text()
        for large, small in smaller.items():
            text = text.replace(large, small)
        (simpsons / file).write_text(text)
    return simpsons


@pytest.fixture
def scenes(project_folder):
    """Working folder with the dataset of S2: one folder, a CSV file of labels per split."""
    rng, folder = np.random.default_rng(0), project_folder / "data" / "scenes"
    for split, count in (("train", 4), ("val", 1), ("test", 2)):
        rows = [(f"{split}_{k}_{i}.jpg", k) for k in range(6) for i in range(count)]
        for name, k in rows:
            write_image(folder / "images" / name, rng, (40, 40 + k))
        table = pd.DataFrame(rows, columns=["image_name", "label"])
        table.to_csv(folder / f"{split}_data.csv", index=False)
    return project_folder


@pytest.fixture
def faces(project_folder):
    """Working folder with the dataset of S3: pixels in a CSV file, in the format of Kaggle."""
    rng, rows = np.random.default_rng(0), []
    for usage, count in (("Training", 6), ("PublicTest", 1), ("PrivateTest", 1)):
        for index in range(count * 7):
            pixels = " ".join(map(str, rng.integers(0, 256, 48 * 48)))
            rows.append((index % 7, pixels, usage))
    (project_folder / "data").mkdir()
    table = pd.DataFrame(rows, columns=["emotion", "pixels", "Usage"])
    table.to_csv(project_folder / "data" / "fer2013.csv", index=False)
    return project_folder
