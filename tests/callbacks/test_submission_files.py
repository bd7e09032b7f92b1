"""Submissions from the sample to the file that the run has, in every form that competitions use."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from callbacks import OutputRecorder, PredictionWriter
from datamodules import ImageFolderDataModule
from lightning_app.store import RunLogger

CLASSES = ("cat", "dog", "owl")
ORDER = (2, 0, 1)  # of the images in the samples


@pytest.fixture
def data(workplace):
    """Class folders, and three unlabelled images in one folder, of other sizes."""
    rng = np.random.default_rng(0)
    for name in (*(f"train/{c}/{n}.png" for c in CLASSES for n in range(4)), *map(_file, range(3))):
        file = Path("images") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).save(file)
    return ImageFolderDataModule("images", image_size=16, num_workers=0, batch_size=2)


@pytest.fixture
def submit(data, client, make_classifier, make_trainer):
    """Function that predicts with a sample; the written file and the probabilities, (3, 3)."""

    def run(sample):
        Path("sample.csv").write_text(sample)
        recorder, logger = OutputRecorder(), RunLogger("submissions")
        writer = PredictionWriter(recorder, sample_submission=Path("sample.csv"))
        trainer = make_trainer(logger=logger, callbacks=[recorder, writer])
        model = make_classifier(num_classes=3, num_channels=3).eval()
        trainer.predict(model, data)
        with torch.inference_mode():
            probabilities = model(data.images("predict", range(3))).softmax(dim=1).numpy()
        file = client.download_artifacts(logger.run_id, "predictions/submission.csv")
        return pd.read_csv(io.StringIO(Path(file).read_text()), dtype=str), probabilities

    return run


def _file(number):
    return f"test/new_{number}.png"


def sample_of(header, rows):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


@pytest.mark.parametrize("id_of", [lambda n: f"new_{n}.png", lambda n: f"new_{n}", _file])
def test_an_id_and_a_class(submit, id_of):
    table, shares = submit(sample_of("id,label", [(id_of(n), "cat") for n in ORDER]))
    assert table["id"].tolist() == [id_of(n) for n in ORDER]
    assert table["label"].tolist() == [CLASSES[shares[n].argmax()] for n in ORDER]


@pytest.mark.parametrize("first", [0, 1])
def test_an_id_and_the_number_of_a_class(submit, first):
    rows = zip(ORDER, (first, 2, 2 + first), strict=True)
    table, shares = submit(sample_of("id,label", [(f"new_{n}", answer) for n, answer in rows]))
    assert table["label"].tolist() == [str(shares[n].argmax() + first) for n in ORDER]


def test_an_id_and_a_probability_per_class(submit):
    rows = [(f"new_{n}.png", 0, 0, 0) for n in ORDER]
    table, shares = submit(sample_of("Id,prob_owl,prob_cat,prob_dog", rows))
    assert table.columns.tolist() == ["Id", "prob_owl", "prob_cat", "prob_dog"]
    found = table.iloc[:, 1:].to_numpy(float)
    np.testing.assert_allclose(found, shares[list(ORDER)][:, [2, 0, 1]], atol=1e-5)


@pytest.mark.parametrize("joined", [False, True])
def test_a_row_for_each_image_and_class(submit, joined):
    pairs = [(n, label) for label in (1, 0, 2) for n in ORDER]
    names = [(f"new_{n}", CLASSES[label]) for n, label in pairs]
    if joined:
        table, shares = submit(sample_of("id,p", [("_".join(pair), 0) for pair in names]))
        assert table["id"].tolist() == ["_".join(pair) for pair in names]
    else:
        table, shares = submit(sample_of("id,class,p", [(*pair, 0) for pair in names]))
    expected = [shares[pair] for pair in pairs]
    np.testing.assert_allclose(table["p"].to_numpy(float), expected, atol=1e-5)


def test_the_most_probable_classes_separated_by_blanks(submit):
    table, shares = submit(sample_of("id,labels", [(f"new_{n}", "cat dog") for n in ORDER]))
    ranked = [[CLASSES[c] for c in (-shares[n]).argsort()[:2]] for n in ORDER]
    assert table["labels"].tolist() == [" ".join(classes) for classes in ranked]
