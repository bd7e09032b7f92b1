"""The command `probe`: its table, figure and runs."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import timm
import torch
from mlflow import MlflowClient

from lightning_app.main import main


@pytest.fixture(scope="module")
def probed(in_new_folder):
    """The folder in which two networks were probed on bright and dark noise."""
    with in_new_folder("probed") as folder:
        rng = np.random.default_rng(0)
        for index in range(15):
            for label, level in (("bright", 180), ("dark", 60)):
                file = folder / "images" / label / f"{index}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(file), rng.normal(level, 25, (32, 32, 3)).clip(0, 255))
        torch.manual_seed(0)
        names = ["test_resnet", "test_efficientnet"]
        for name in names:
            torch.save(timm.create_model(name).state_dict(), folder / f"{name}.pth")
        networks = [f"{name}={name}.pth" for name in names]
        size = ["--data.image_size", "32", "--data.num_workers", "0"]
        main(["probe", "images", *size, "--networks", *networks])
    return folder


def test_table_has_a_row_for_each_network(probed):
    table = pd.read_csv(probed / "probe" / "probe.csv")
    assert set(table.network) == {"test_resnet", "test_efficientnet"}
    assert (table["linear/accuracy"] > 0.9).all()  # brightness is easy
    assert (table["linear/low"] <= table["linear/accuracy"]).all()
    assert table["linear/accuracy"].is_monotonic_decreasing
    assert (table.images == 26).all()  # of 30, four are for the test
    assert (probed / "probe" / "probe.png").stat().st_size > 10_000


def test_each_network_is_a_run_below_one(probed):
    client = MlflowClient(f"sqlite:///{probed / 'mlruns' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("probe")
    runs = client.search_runs([experiment.experiment_id])
    [parent] = [run for run in runs if run.info.run_name == "probe images"]
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert {run.info.run_name for run in children} == {"test_resnet", "test_efficientnet"}
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert all(run.data.metrics["linear/accuracy"] > 0.9 for run in children)
    files = [file.path for file in client.list_artifacts(parent.info.run_id)]
    assert {"probe.csv", "figures"} <= set(files)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            [".", "--networks", "resnet18", "resnet19"],
            "Neither timm nor torchvision has a network 'resnet19'.\n  Near names: resnet18",
        ),
        ([".", "--networks", "resnet18=no.pth"], "there is no file 'no.pth'"),
        (["nowhere"], "There is no file or folder nowhere. Expected a folder with one"),
        ([], "`probe` needs a dataset: --config, or as PATH a folder with one folder per class"),
    ],
)
def test_wrong_names_are_refused_before_anything_is_read(workplace, capsys, arguments, expected):
    with pytest.raises(SystemExit):
        main(["probe", *arguments])
    assert expected in capsys.readouterr().err


def test_networks_that_cannot_be_built_are_reported(probed, monkeypatch, capsys):
    monkeypatch.chdir(probed)
    Path("empty.pth").write_bytes(b"")
    with pytest.raises(SystemExit):
        main(["probe", "images", "--networks", "test_resnet=empty.pth"])
    assert "No network could be probed:\ntest_resnet=empty.pth: " in capsys.readouterr().err


def test_csv_files_and_data_root_are_read_as_by_fit(probed, monkeypatch, capsys):
    monkeypatch.chdir(probed)
    files = sorted(Path("images").rglob("*.png"))
    lists = [{"image": file, "label": file.parent.name} for file in files]
    pixels = [
        {"emotion": int(file.parent.name == "dark"), "pixels": " ".join(map(str, grey.ravel()))}
        for file in files
        if (grey := cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)) is not None
    ]
    pd.DataFrame(lists).to_csv("list.csv", index=False)
    pd.DataFrame(pixels).to_csv("pixels.csv", index=False)
    small = ["--networks", "test_resnet=test_resnet.pth", "--data.num_workers", "0"]
    for number, path in enumerate(("list.csv", "pixels.csv", "--data.root=images")):
        main(["probe", path, *small, "--out", f"out{number}"])
        table = pd.read_csv(f"out{number}/probe.csv")
        assert table.images[0] == 26
        assert table["linear/accuracy"][0] > 0.9
