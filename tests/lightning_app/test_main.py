import re
import shutil
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pytest
import timm
import torch
import yaml

from lightning_app.cli.picture_options import picture_types
from lightning_app.main import COMMANDS, TRAINING, main

CONFIGS = Path(__file__).parents[2] / "configs"
SYSTEMS = ("simpsons", "scenes_resnet50", "fer2013")  # these run in test_systems.py
PLAIN = ["--pictures.budget=0", "--report=false", "--trainer.enable_progress_bar=false"]
SMALL = ["--data.num_images=40", "--model.backbone.width=4", "--trainer.accelerator=cpu"]
SYNTHETIC = ["--config", str(CONFIGS / "digits.yaml"), "--data=SyntheticDataModule", *SMALL]


def test_help_and_version_are_shown_without_importing_torch():
    code = "import sys; from lightning_app.main import main; "
    code += "main(['--help']); main(['--version']); print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *_, version, torch_was_imported = shown.stdout.splitlines()
    assert version == f"lightning_cli {metadata.version('lightning-image-classification')}"
    assert torch_was_imported == "False"


def test_help_fits_one_screen_and_groups_every_command(capsys):
    main(["--help"])
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.isalpha()] == [
        *("Train", "Look", "Data", "Ship", "Runs")
    ]
    words = set(re.findall(r"\w+", text))
    assert {*TRAINING, *COMMANDS} <= words


def test_no_command_shows_the_help(capsys):
    main([])
    assert capsys.readouterr().out.startswith("Train image classifiers")


def test_unknown_command_shows_the_help(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["train"])
    assert capsys.readouterr().err.startswith("There is no command 'train'.")


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_evaluating_without_a_checkpoint_is_refused(workplace, capsys, command):
    with pytest.raises(SystemExit, match="1"):
        main([command, "--config", str(CONFIGS / "digits.yaml")])
    error = capsys.readouterr().err
    assert f"`lightning_cli {command}` needs a trained network: --ckpt_path best" in error
    assert "Traceback" not in error


def test_resuming_without_an_earlier_run_is_refused(workplace, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["fit", "--config", str(CONFIGS / "digits.yaml"), "--ckpt_path", "last"])
    assert "No run of the experiment 'digits' has a checkpoint" in capsys.readouterr().err


def test_missing_data_folder_is_reported_without_a_stack_trace(workplace, capsys):
    with pytest.raises(SystemExit, match="1"):
        main(["fit", "--config", str(CONFIGS / "folder.yaml"), "--data.root", "nowhere"])
    error = capsys.readouterr().err
    assert error.startswith("error: There is no folder nowhere; name it with --data.root PATH.")
    assert "Traceback" not in error


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_config_begins_with_its_command(config):
    text = config.read_text()
    assert text.startswith("#")
    assert f"lightning_cli fit --config configs/{config.name}" in text
    assert len(text.splitlines()) <= 60


@pytest.mark.parametrize(
    "config",
    [file for file in sorted(CONFIGS.glob("*.yaml")) if not file.stem.startswith(SYSTEMS)],
    ids=lambda file: file.stem,
)
def test_every_other_config_trains_on_a_batch(workplace, config, tmp_path, write_folder):
    arguments = ["fit", "--config", str(config), "--trainer.fast_dev_run=true", *PLAIN]
    arguments += ["--data.batch_size=4"]
    content = yaml.safe_load(config.read_text())
    data = data_for(content["data"]["class_path"], tmp_path, write_folder)
    if content["model"]["init_args"]["backbone"].get("init_args", {}).get("pretrained"):
        arguments += ["--model.backbone.pretrained=false"]  # tests download nothing
    main([*arguments, *(f"--data.{name}={value}" for name, value in data.items())])


def data_for(datamodule, tmp_path, write_folder):
    """Settings with which a datamodule reads a few small images."""
    if datamodule == "ImageFolderDataModule":
        return {"root": write_folder(), "image_size": 32, "num_workers": 0}
    if datamodule == "ManifestDataModule":
        rows = [f"{name}/{index}.png,{name}" for name in ("cat", "dog") for index in range(40)]
        file = write_folder() / "labels.csv"
        file.write_text("\n".join(["image,label", *rows]))
        return {"manifest": file, "image_size": 32, "num_workers": 0}
    if datamodule == "ShardDataModule":
        shards = tmp_path / "shards"
        folder = ["--config", str(CONFIGS / "folder.yaml"), "--data.root", str(write_folder())]
        main(["prepare", "shard", *folder, "--out", str(shards)])
        return {"root": shards, "image_size": 32, "num_workers": 0}
    if datamodule == "PixelCSVDataModule":
        file = tmp_path / "pixels.csv"
        row = " ".join(["7"] * 48 * 48)
        file.write_text("\n".join(["label,feature", *(f"{i % 2},{row}" for i in range(20))]))
        return {"file": file}
    if datamodule == "TorchvisionDataModule":  # EuroSAT can be a folder with a few images
        shutil.copytree(write_folder(), tmp_path / "sets" / "eurosat" / "2750")
        return {"name": "EuroSAT", "root": tmp_path / "sets", "download": False, "num_workers": 0}
    return {}


@pytest.fixture
def write_folder(tmp_path):
    def write():
        for name in ("cat", "dog"):
            for index in range(40):
                file = tmp_path / "images" / name / f"{index}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(file), np.full((20, 20, 3), index, np.uint8))
        return tmp_path / "images"

    return write


def test_ui_without_runs_shows_how_to_start_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(SystemExit, match=r"no run in .* yet\. Start one with"):
        main(["ui"])


def test_ui_refuses_a_store_on_a_server(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with pytest.raises(
        SystemExit, match=r"The runs are on the MLflow server http://127\.0\.0\.1:1"
    ):
        main(["ui"])


@pytest.mark.parametrize("port", ["taken", "99999999"])
def test_ui_refuses_a_port_that_cannot_be_used(workplace, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1] if port == "taken" else port
        with pytest.raises(SystemExit, match=rf"Port {number} cannot be used \(.*--port"):
            main(["ui", "--port", str(number)])


def test_a_picture_is_switched_off_by_one_option(workplace, client):
    off = [f"--pictures.{name}=false" for name in picture_types() if name != "grad_cam"]
    few = ["--trainer.max_epochs=1", "--trainer.limit_train_batches=1", "--report=false"]
    main(["fit", *SYNTHETIC, *few, *off, "--pictures.grad_cam.num_images=4"])
    [run] = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    images = [file.path for file in client.list_artifacts(run.info.run_id, "images")]
    assert len(images) == 2
    assert all("grad_cam" in path for path in images)
    assert run.data.params["pictures.filters"] == "False"
    assert not client.list_artifacts(run.info.run_id, "figures")


def test_checkpoint_for_other_classes_is_refused(workplace, capsys, write_folder):
    folder = write_folder()
    config = ["--config", str(CONFIGS / "folder.yaml"), "--data.root", str(folder)]
    small = ["--data.image_size=16", "--data.num_workers=0", "--trainer.max_epochs=1"]
    small += ["--model.backbone=SmallCNN", "--trainer.limit_train_batches=1"]
    main(["fit", *config, *small, *PLAIN])
    (folder / "cat").rename(folder / "owl")
    with pytest.raises(SystemExit, match="1"):
        main(["test", *config, "--ckpt_path", "best"])
    assert "was trained on the classes cat, dog; the data have dog, owl." in capsys.readouterr().err


def test_evaluating_a_checkpoint_reads_no_pretrained_weights(workplace):
    torch.save(timm.create_model("test_resnet").state_dict(), "weights.pth")
    config = ["--config", str(CONFIGS / "digits.yaml"), "--data=SyntheticDataModule"]
    config += ["--data.num_images=40", "--trainer.accelerator=cpu", "--trainer.max_epochs=1"]
    network = ["--model.backbone=TimmBackbone", "--model.backbone.name=test_resnet"]
    main(["fit", *config, *PLAIN, *network, "--model.backbone.weights=weights.pth"])
    Path("weights.pth").unlink()
    main(["test", *config, *PLAIN, "--ckpt_path=best"])


def test_resumed_fit_continues_its_run_and_no_fit_goes_back(workplace, client, capsys):
    fit = ["fit", *SYNTHETIC, *PLAIN]
    main([*fit, "--trainer.max_epochs=2"])
    main([*fit, "--trainer.max_epochs=3", "--ckpt_path=last"])
    [run] = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    history = client.get_metric_history(run.info.run_id, "val/accuracy")
    assert [metric.step for metric in history] == [0, 1, 2]
    assert run.data.params["trainer.max_epochs"] == "2"
    assert run.data.tags["resumed_with.trainer.max_epochs"] == "3"
    assert run.info.status == "FINISHED"
    [last] = workplace.glob("mlruns/checkpoints/digits/*/last.ckpt")
    before = last.read_bytes(), last.stat().st_mtime_ns
    with pytest.raises(SystemExit, match="1"):
        main([*fit, "--trainer.max_epochs=2", "--ckpt_path=last"])
    message = "has 3 epochs already, but trainer.max_epochs is 2; raise it to train on."
    assert message in capsys.readouterr().err
    assert (last.read_bytes(), last.stat().st_mtime_ns) == before
