"""Fixtures for tests of the published systems: small datasets in their layouts."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

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
