"""The command `probe`: its table, figure and runs."""

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
        main(["probe", "images", *size, "--networks", *networks, "resnet99"])
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


def test_networks_that_cannot_be_built_are_reported(workplace, write_image, capsys):
    for label in ("a", "b"):
        for index in range(8):
            write_image(workplace / "images" / label / f"{index}.png")
    with pytest.raises(SystemExit):
        main(["probe", "images", "--networks", "resnet99"])
    printed = capsys.readouterr().err
    assert "No network could be probed" in printed
    assert "torchvision has no classification network 'resnet99'" in printed
