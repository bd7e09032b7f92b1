"""The published systems from their data's own layout to their predictions, a few batches each."""

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from lightning_app.cli.picture_options import picture_types
from lightning_app.main import main

ROOT = Path(__file__).parents[2]
FEW = ["--trainer.max_epochs=1", "--trainer.limit_train_batches=1", "--trainer.limit_val_batches=1"]
QUICK = [*FEW, "--trainer.enable_progress_bar=false", "--report=false"]
NO_DOWNLOAD = "--model.backbone.pretrained=false"


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
    """S0 and S1: photographs in class folders."""
    rng = np.random.default_rng(0)
    for name in ("bart", "homer", "lisa"):
        for index in range(8):
            write_image(place / "data" / "simpsons" / name / f"{index}.jpg", rng)
    return place


@pytest.fixture
def scenes(place):
    """S2: images in one folder, a CSV file for each split, labels as numbers."""
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
    """S3: rows of pixels as Kaggle has them."""
    rng, rows = np.random.default_rng(0), []
    for usage, count in (("Training", 6), ("PublicTest", 1), ("PrivateTest", 1)):
        for index in range(count * 7):
            pixels = " ".join(map(str, rng.integers(0, 256, 48 * 48)))
            rows.append((index % 7, pixels, usage))
    (place / "data").mkdir()
    table = pd.DataFrame(rows, columns=["emotion", "pixels", "Usage"])
    table.to_csv(place / "data" / "fer2013.csv", index=False)
    return place


def fit(name, *more, pictures=()):
    off = [f"--pictures.{p}=false" for p in picture_types() if p not in pictures]
    small = ["--data.num_workers=0", "--data.batch_size=6"]
    main(["fit", "--config", f"configs/{name}.yaml", *QUICK, *small, *off, *more])


@pytest.fixture
def artifacts(client):
    """Artifacts of the newest run of an experiment."""

    def find(experiment, folder):
        experiment_id = client.get_experiment_by_name(experiment).experiment_id
        [run] = client.search_runs([experiment_id])
        listed = client.list_artifacts(run.info.run_id, folder)
        return {
            Path(f.path).name: client.download_artifacts(run.info.run_id, f.path) for f in listed
        }

    return find


@pytest.fixture
def count_parameters(client):
    """Parameters of the newest run of an experiment: in all, and those that train."""

    def count(experiment):
        experiment_id = client.get_experiment_by_name(experiment).experiment_id
        metrics = client.search_runs([experiment_id])[0].data.metrics
        return metrics["params/total"], metrics["params/trainable"]

    return count


def rows_of(file):
    with Path(file).open() as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("name", ["simpsons_resnet152", "simpsons_resnet152_better"])
def test_s0_trains_on_class_folders_and_predicts_what_has_no_label(
    simpsons, artifacts, count_parameters, name
):
    small = [
        "--data.image_size=32",
        "--data.split.val_per_class=2",
        "--data.split.test_per_class=2",
    ]
    fit(name, NO_DOWNLOAD, *small)
    if name == "simpsons_resnet152":  # published with 50 classes; here are three
        fewer = 47 * (1024 + 1)
        assert count_parameters("simpsons") == (60_295_283 - fewer, 2_151_475 - fewer)
    new = simpsons / "new"
    shutil.copytree(simpsons / "data" / "simpsons" / "bart", new)
    config = ["--config", f"configs/{name}.yaml", "--data.image_size=32", "--data.num_workers=0"]
    main(["predict", *config, "--data.predict", str(new), "--ckpt_path", "best"])
    rows = rows_of(artifacts("simpsons", "predictions")["predict.csv"])
    assert [row["image"] for row in rows] == [f"{index}.jpg" for index in range(8)]
    assert {row["label"] for row in rows} == {""}


@pytest.mark.parametrize("name", ["simpsons_resnext101", "simpsons_resnext101_better"])
def test_s1_balances_offline_and_then_trains(simpsons, artifacts, count_parameters, name):
    counts = ["--per_class", "10", "--val_per_class", "2", "--test_per_class", "2"]
    out = ["--out", "data/simpsons20", "--preset", "s1"]
    main(["prepare", "augment", "data/simpsons", *out, *counts])
    fit(name, NO_DOWNLOAD, "--data.image_size=32", "--trainer.precision=32")
    fewer = 17 * (2048 + 1)  # published with 20 classes; here are three
    assert count_parameters("simpsons") == (86_783_316 - fewer, 28_786_708 - fewer)
    config = ["--config", f"configs/{name}.yaml", "--data.image_size=32", "--data.num_workers=0"]
    main(["test", *config, "--trainer.precision=32", "--ckpt_path", "best"])
    assert len(rows_of(artifacts("simpsons", "predictions")["test.csv"])) == 6


@pytest.mark.parametrize("name", ["scenes_resnet50", "scenes_resnet50_better"])
def test_s2_reads_its_manifests_and_explains_its_last_convolution(
    scenes, artifacts, count_parameters, name
):
    fit(name, "--data.image_size=96", pictures=["grad_cam"])
    assert count_parameters("scenes") == (23_520_326, 23_520_326)
    config = ["--config", f"configs/{name}.yaml", "--data.image_size=96", "--data.num_workers=0"]
    main(["test", *config, "--ckpt_path", "best"])
    assert any("grad_cam" in image for image in artifacts("scenes", "images"))
    rows = rows_of(artifacts("scenes", "predictions")["test.csv"])
    assert [row["label"] for row in rows[:3]] == ["buildings", "buildings", "forest"]


@pytest.mark.parametrize(
    "name", ["fer2013_cnn", "fer2013_cnn_better", "fer2013_dnn", "fer2013_dnn_better"]
)
def test_s3_reads_kaggles_file_and_predicts_its_test_rows(faces, artifacts, count_parameters, name):
    drawn = {"fer2013_cnn": ["filters", "feature_maps", "activation_maximisation"]}.get(name, ())
    little = ["--pictures.activation_maximisation.steps=2"] if drawn else []
    fit(name, "--data.split.val_last_n=7", *little, pictures=drawn)
    size = 2_207_893 if "cnn" in name else 2_237_973
    assert count_parameters("fer2013") == (size, size)
    sample = faces / "sample.csv"
    sample.write_text("id,emotion\n" + "".join(f"{13 - row},0\n" for row in range(14)))
    config = ["--config", f"configs/{name}.yaml", "--data.split.val_last_n=7"]
    answer = ["--predictions.sample_submission", str(sample), "--ckpt_path", "best"]
    main(["predict", *config, *answer])
    predictions = artifacts("fer2013", "predictions")
    rows = rows_of(predictions["predict.csv"])
    assert [row["label"] for row in rows[:3]] == ["angry", "disgust", "fear"]
    classes = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    answers = {
        row["id"]: classes[int(row["emotion"])] for row in rows_of(predictions["submission.csv"])
    }
    assert answers == {str(row): said["predicted"] for row, said in enumerate(rows)}
    if drawn:
        images = set(artifacts("fer2013", "images")) | set(artifacts("fer2013", "figures"))
        assert all(any(name in image for image in images) for name in drawn)


def test_s3_without_convolutions_goes_without_their_pictures(faces):
    drawn = ["filters", "feature_maps", "activation_maximisation"]
    little = ["--pictures.activation_maximisation.steps=2", "--data.split.val_last_n=7"]
    with pytest.warns(UserWarning, match="No picture filters: the network has no convolution"):
        fit("fer2013_cnn", "--model.backbone=MLP", *little, pictures=drawn)


ABLATIONS = {
    "scenes": ("scenes", "--data.image_size=32"),
    "scenes_remove_classes": ("scenes", "--data.image_size=32"),
    "scenes_recipe": ("scenes", "--data.image_size=32"),
    "fer2013_dnn_recipe": ("faces", "--data.split.val_last_n=7"),
    "fer2013_cnn_dnn": ("faces", "--data.split.val_last_n=7"),
    "fer2013_recipe": ("faces", "--data.split.val_last_n=7"),
}


@pytest.mark.parametrize("file", sorted((ROOT / "ablations").glob("*.yaml")), ids=lambda f: f.stem)
def test_every_ablation_runs_to_its_table(request, in_this_process, client, file):
    data, small = ABLATIONS[file.stem]
    place = request.getfixturevalue(data)
    quick = [*QUICK, "--pictures.budget=0", "--data.num_workers=0", "--data.batch_size=6", small]
    main(["ablate", f"ablations/{file.name}", "--seeds", "0", *quick])
    plan = yaml.safe_load((place / "ablations" / file.name).read_text())
    experiment_id = client.get_experiment_by_name(
        data if data == "scenes" else "fer2013"
    ).experiment_id
    [parent] = client.search_runs([experiment_id], "tags.ablation != ''")
    table = pd.read_csv(client.download_artifacts(parent.info.run_id, "ablation.csv"))
    rows = [name for name in table.variation if not name.endswith(": other classes")]
    assert rows == [plan.get("base_name", "base"), *plan["variations"]]
