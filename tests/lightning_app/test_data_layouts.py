"""Datasets in the layouts that users have, from the command line to the predictions."""

import csv
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from PIL import Image

from lightning_app.cli.checkpoint_checks import check_classes
from lightning_app.main import main

CONFIGS = Path(__file__).parents[2] / "configs"
QUICK = [
    *("--trainer.max_epochs=1", "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"),
    *("--data.image_size=16", "--data.num_workers=0", "--data.batch_size=8"),
    *("--model.backbone=SmallCNN", "--model.backbone.width=4"),
    *("--pictures.budget=0", "--report=false"),
]
FOLDER = ["--config", str(CONFIGS / "folder.yaml"), "--data.root=images", *QUICK]
PREDICT = ["predict", *FOLDER, "--ckpt_path=best"]


def write_images(root):
    """Write class folders to train on, and images without a label to test on."""
    colors = {f"train/cat/{index}.png": (0, 9, index) for index in range(12)}
    colors |= {f"train/dog/{index}.png": (90, 9, index) for index in range(12)}
    colors |= {f"test/{index}.jpg": (200, 100, 50) for index in range(5)}
    for name, color in colors.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((10, 20, 3), color, np.uint8)).save(root / name)


@pytest.fixture(scope="module")
def fitted(in_new_folder):
    """A folder in which a fit on class folders ran, and what it printed."""
    with in_new_folder("layouts") as folder, redirect_stdout(StringIO()) as output:
        write_images(folder / "images")
        main(["fit", *FOLDER])
    return folder, output.getvalue()


@pytest.fixture
def folder(fitted, monkeypatch):
    monkeypatch.chdir(fitted[0])
    return fitted[0]


@pytest.fixture
def rows(folder):
    """Return a function that reads a CSV artifact of the run that trained on class folders."""

    def read(path):
        client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
        [run] = client.search_runs([client.get_experiment_by_name("folder").experiment_id])
        with Path(client.download_artifacts(run.info.run_id, path)).open() as stream:
            return list(csv.DictReader(stream))

    return read


def best_line(printed):
    [line] = [line for line in printed.splitlines() if line.startswith("Best")]
    return line


def test_unlabelled_test_images_are_predicted(rows):
    main(PREDICT)
    predicted = rows("predictions/predict.csv")
    assert [row["image"] for row in predicted] == [f"test/{index}.jpg" for index in range(5)]
    assert {row["label"] for row in predicted} == {""}
    assert {row["predicted"] for row in predicted} <= {"cat", "dog"}


def test_sample_submission_is_filled_in_its_order(rows, folder):
    ids = "id,label\n" + "".join(f"{index},?\n" for index in (3, 0, 4, 1, 2))
    (folder / "sample.csv").write_text(ids)
    # Without a configuration, the run knows its dataset. The folder of the test has no classes.
    command = ["predict", "--ckpt_path", "best", "--predictions.sample_submission", "sample.csv"]
    main([*command, "--data.predict", "images/test"])
    submission = rows("predictions/submission.csv")
    main([*command, "--predictions.top_k=5"])
    assert rows("predictions/submission.csv") == submission
    table = rows("predictions/predict.csv")
    predicted = {row["image"]: row["predicted"] for row in table}
    assert [row["id"] for row in submission] == list("30412")
    assert [row["label"] for row in submission] == [predicted[f"test/{i}.jpg"] for i in "30412"]
    confidences = float(table[0]["confidence"]) + float(table[0]["confidence_2"])
    assert confidences == pytest.approx(1, abs=2e-6)  # of all classes: there are only two


def test_sample_submission_with_an_unknown_image_is_refused(folder, capsys):
    (folder / "other.csv").write_text("id,label\n9,?\n")
    with pytest.raises(SystemExit, match="1"):
        main([*PREDICT, "--predictions.sample_submission=other.csv"])
    assert "other.csv: there is no image 9." in capsys.readouterr().err


def test_splits_saved_by_a_run_repeat_it_as_a_manifest(rows, fitted, folder, capsys):
    splits = rows("data/splits.csv")
    with (folder / "splits.csv").open("w") as stream:
        writer = csv.DictWriter(stream, splits[0].keys())
        writer.writeheader()
        writer.writerows(splits)
    config = ["--config", str(CONFIGS / "manifest.yaml"), "--data.manifest=splits.csv"]
    main(["fit", *config, "--data.root=images", *QUICK])
    assert best_line(capsys.readouterr().out) == best_line(fitted[1])


def test_checkpoint_of_another_order_of_classes_is_refused_or_followed(folder, rows):
    """As of runs before numbers were sorted as numbers: then 10 was before 2."""
    file = min((folder / "mlruns").rglob("best.ckpt"), key=lambda file: file.stat().st_mtime)
    checkpoint = torch.load(file, weights_only=False)
    checkpoint["class_names"] = ["dog", "cat"]  # the network says dog where it said cat
    torch.save(checkpoint, "old.ckpt")
    validate = ["validate", *FOLDER, "--ckpt_path=old.ckpt"]
    text = r"classes dog, cat; the data have cat, dog\. .*set --data.class_names '\[.dog., .cat.\]'"
    with pytest.raises(ValueError, match=text):
        check_classes("old.ckpt", checkpoint, ["cat", "dog"])
    swapped = {"cat": "dog", "dog": "cat"}
    main(["validate", *FOLDER, f"--ckpt_path={file}"])
    before = [swapped[row["predicted"]] for row in rows("predictions/val.csv")]
    main([*validate, "--data.class_names=[dog, cat]"])
    after = rows("predictions/val.csv")
    assert [row["predicted"] for row in after] == before
    assert {row["image"].split("/")[1]: row["label"] for row in after} == {
        "cat": "cat",
        "dog": "dog",
    }
