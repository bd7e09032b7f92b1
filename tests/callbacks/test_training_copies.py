import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from callbacks import OutputRecorder, TrainingCopies
from callbacks.training_copies import copy_table, find_copies
from datamodules import ImageFolderDataModule, PixelCSVDataModule
from datamodules.options import Options
from datamodules.sources import arrays, files
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.files import FileReader
from datamodules.sources.resized_images import ResizedReader
from datamodules.sources.source import ImageSource
from datamodules.splits.settings import SplitSettings
from lightning_app.store.run_logger import RunLogger


@pytest.fixture
def write_csv(tmp_path):
    """Function that writes grey images of 8 x 8 pixels as a pixel CSV file."""

    def write(name, images, labels):
        rows = [
            f"{label},{' '.join(map(str, image.ravel()))}"
            for image, label in zip(images, labels, strict=True)
        ]
        file = tmp_path / name
        file.write_text("\n".join(["label,feature", *rows]))
        return file

    return write


@pytest.fixture
def data(write_csv, workplace):
    """Forty images, the first three test images of which are training images, one relabelled."""
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8))
    images[30:33] = images[:3]
    labels = np.arange(40) % 2
    labels[30:33] = labels[:3]
    labels[32] = 1 - labels[2]
    train, test = ("train.csv", images[:30], labels[:30]), ("test.csv", images[30:], labels[30:])
    split = SplitSettings(val_last_n=4)
    return PixelCSVDataModule(
        write_csv(*train), write_csv(*test), image_size=16, batch_size=8, split=split
    )


def test_images_with_the_pixels_of_a_training_image_are_copies(data):
    assert find_copies(data.sources, "test").tolist() == [True] * 3 + [False] * 7
    assert find_copies(data.sources, "val").tolist() == [False] * 4
    assert find_copies({"train": data.sources["train"]}, "test") is None


@pytest.mark.parametrize("cache", ["none", "ram"])
def test_image_files_are_compared_by_their_bytes(tmp_path, write_image, cache):
    shades = {"train/cat/1": 10, "train/dog/1": 20, "val/cat/2": 20, "val/dog/2": 30}
    for name, shade in shades.items():
        write_image(tmp_path / f"{name}.png", (shade, 0, 0))
    data = ImageFolderDataModule(tmp_path, image_size=8, options=Options(cache=cache))
    data.setup("fit")
    assert find_copies(data.sources, "val").tolist() == [True, False]


def test_files_that_cannot_be_read_are_no_copies_of_each_other(tmp_path):
    reader = FileReader(tmp_path, ["gone.png", "gone_too.png"], 8, 3)
    train, val = (ImageSource(reader, np.zeros(1), ["a"], rows=np.array([row])) for row in (0, 1))
    assert find_copies({"train": train, "val": val}, "val").tolist() == [False]


def test_files_of_more_bytes_than_take_seconds_are_not_compared(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(bytes(1001))
    monkeypatch.setattr(files, "MAX_BYTES", 1000)
    assert FileReader(tmp_path, ["a.png"], 8, 3).digests(np.arange(1)) is None


def test_images_that_are_resized_are_compared_by_their_own_pixels():
    reader, rows = ArrayReader(np.arange(48, dtype=np.uint8).reshape(3, 4, 4, 1)), np.arange(3)
    assert ResizedReader(reader, 8).digests(rows) == reader.digests(rows)
    assert len(set(reader.digests(rows))) == 3


def test_more_pixels_than_take_seconds_are_not_compared(data, monkeypatch):
    monkeypatch.setattr(arrays, "MAX_BYTES", 1000)
    assert find_copies(data.sources, "test") is None


def test_table_has_wilson_intervals_of_the_images_with_and_without_copies():
    correct = torch.tensor([True] * 3 + [True] * 4 + [False] * 3)
    table = copy_table(correct, torch.arange(10) < 3)
    assert table["images"] == ["all", "without copies", "copies"]
    assert table["number"] == [10, 7, 3]
    assert table["correct"] == [7, 4, 3]
    assert table["accuracy"] == pytest.approx([0.7, 4 / 7, 1])
    for hits, number, low, high in zip(
        *(table[key] for key in ("correct", "number", "low", "high")), strict=True
    ):
        expected = binomtest(hits, number).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_test_also_scores_the_images_without_copies(
    data, make_classifier, make_trainer, client, messages
):
    recorder, logger = OutputRecorder(), RunLogger("copies")
    trainer = make_trainer(logger=logger, callbacks=[recorder, TrainingCopies(recorder)])
    model = make_classifier(num_classes=2).eval()
    [metrics] = trainer.test(model, data, verbose=False)
    images, labels = data.images("test", range(10)), data.sources["test"].labels
    with torch.no_grad():
        correct = (model(images).argmax(dim=1).numpy() == labels)[3:]
    assert metrics["test/accuracy_without_copies"] == pytest.approx(correct.mean())
    file = client.download_artifacts(logger.run_id, "tables/copies_test.json")
    table = json.loads(Path(file).read_text())
    assert table["data"][1][:3] == ["without copies", 7, correct.sum()]
    assert "3 of 10 test images are exact copies of training images; accuracy" in messages.text


def test_fit_warns_of_copies(data, make_classifier, make_trainer):
    recorder = OutputRecorder()
    trainer = make_trainer(
        max_epochs=1, limit_train_batches=1, callbacks=[recorder, TrainingCopies(recorder)]
    )
    with pytest.warns(UserWarning, match=r"3 of the 10 test images are exact copies of training"):
        trainer.fit(make_classifier(num_classes=2), data)
    assert "val/accuracy_without_copies" not in trainer.callback_metrics
