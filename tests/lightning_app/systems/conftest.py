"""Small datasets in the layouts of the published systems."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def place(workplace):
    """A folder with the configurations and ablations, as a user has it."""
    for name in ("configs", "ablations"):
        shutil.copytree(ROOT / name, workplace / name)
    return workplace


def write_image(file, rng, size=(40, 40)):
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), rng.integers(0, 256, (*size, 3), np.uint8))


@pytest.fixture
def simpsons(place):
    """Dataset of S0 and S1: photographs in class folders."""
    rng = np.random.default_rng(0)
    for name in ("bart", "homer", "lisa"):
        for index in range(8):
            write_image(place / "data" / "simpsons" / name / f"{index}.jpg", rng)
    return place


@pytest.fixture
def scenes(place):
    """Dataset of S2: images in one folder, a CSV file for each split, labels as numbers."""
    rng, folder = np.random.default_rng(0), place / "data" / "scenes"
    for split, count in (("train", 4), ("val", 1), ("test", 2)):
        rows = [(f"{split}_{k}_{i}.jpg", k) for k in range(6) for i in range(count)]
        for name, k in rows:
            write_image(folder / "images" / name, rng, (40, 40 + k))
        table = pd.DataFrame(rows, columns=["image_name", "label"])
        table.to_csv(folder / f"{split}_data.csv", index=False)
    return place


@pytest.fixture
def faces(place):
    """Dataset of S3: rows of pixels, as Kaggle has them."""
    rng, rows = np.random.default_rng(0), []
    for usage, count in (("Training", 6), ("PublicTest", 1), ("PrivateTest", 1)):
        for index in range(count * 7):
            pixels = " ".join(map(str, rng.integers(0, 256, 48 * 48)))
            rows.append((index % 7, pixels, usage))
    (place / "data").mkdir()
    table = pd.DataFrame(rows, columns=["emotion", "pixels", "Usage"])
    table.to_csv(place / "data" / "fer2013.csv", index=False)
    return place
