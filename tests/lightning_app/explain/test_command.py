import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from PIL import Image

from lightning_app.explain.images import Images
from lightning_app.explain.trained import find_file, trained_network
from lightning_app.main import main
from models import ImageClassifier


def explain(photos, out, *arguments):
    main(["explain", "--images", str(photos), "--out", str(out), *map(str, arguments)])
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))


def test_checkpoint_of_a_run_is_explained(folder, photos, tmp_path):
    files = explain(photos, tmp_path / "out", "--ckpt_path", "small", "--methods", "grad_cam")
    assert files == ["grad_cam.png", "predictions.csv"]


def test_predictions_are_those_of_the_network_on_resized_images(folder, photos, tmp_path):
    explain(photos, tmp_path / "out", "--ckpt_path", "best", "--methods", "filters")
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    model = ImageClassifier.load_from_checkpoint(find_file("best")).eval()
    files = [photos / name for name in ("a.png", "b.png", "more/c.jpg")]
    with torch.no_grad():
        probabilities = model(Images(files, 32, 1).batch(range(3))).softmax(dim=1)
    names = np.array(["rows", "columns", "checks", "full"])
    assert [row["image"] for row in rows] == ["a.png", "b.png", "more/c.jpg"]
    for row, expected in zip(rows, probabilities, strict=True):
        order = expected.argsort(descending=True)
        assert [row["predicted"], row["predicted_2"]] == names[order[:2]].tolist()
        assert float(row["confidence"]) == pytest.approx(float(expected.max()), abs=1e-6)


def test_checkpoint_says_what_the_images_were_like(folder):
    network = trained_network("best", None)
    assert (network.image_size, network.num_channels) == (32, 1)
    assert network.class_names == ("rows", "columns", "checks", "full")


def test_older_checkpoint_asks_its_run_how_large_the_images_were(folder, tmp_path):
    content = torch.load(find_file("best"), weights_only=True)
    del content["image_size"], content["num_channels"]
    torch.save(content, tmp_path / "old.ckpt")
    network = trained_network(str(tmp_path / "old.ckpt"), None)
    assert (network.image_size, network.num_channels) == (32, 1)


def test_each_overlay_has_the_size_of_its_image(folder, photos, tmp_path):
    arguments = ("--ckpt_path", "best", "--methods", "grad_cam", "--each")
    explain(photos, tmp_path / "out", *arguments)
    for name in ("a.png", "b.png", "more/c.jpg"):
        overlay = (tmp_path / "out" / "grad_cam" / name).with_suffix(".png")
        assert Image.open(overlay).size == Image.open(photos / name).size


def test_files_go_into_the_run_too(folder, photos, tmp_path):
    arguments = ("--ckpt_path", "small", "--methods", "grad_cam", "--each", "--log")
    explain(photos, tmp_path / "out", *arguments)
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    run_id = trained_network("best", None).run_id
    names = {Path(f.path).name for f in client.list_artifacts(run_id, "explanations")}
    assert {"grad_cam.png", "predictions.csv", "grad_cam"} <= names


def test_network_of_a_library_is_explained(photos, tmp_path, squeezenet):
    names = tmp_path / "names.txt"
    names.write_text("\n".join("abcde"))
    files = explain(
        photos,
        tmp_path / "out",
        *("--network", "squeezenet1_1", "--library", "torchvision", "--weights", squeezenet),
        *("--class_names", names, "--image_size", 64, "--methods", "grad_cam", "filters"),
    )
    assert files == ["filters.png", "grad_cam.png", "predictions.csv"]


def test_options_of_a_picture_are_those_of_a_fit(folder, photos, tmp_path):
    arguments = ("--ckpt_path", "best", "--methods", "filters")
    layers = ("--pictures.filters.layers", "block2.conv")
    files = explain(photos, tmp_path / "out", *arguments, *layers)
    assert "filters/block2.conv.png" in files
