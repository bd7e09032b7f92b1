"""A fit of a folder of images in one line, and everything that follows from it without a file."""

import csv
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from mlflow import MlflowClient
from PIL import Image

from lightning_app.cli.one_line.expand import expand
from lightning_app.main import main

SMALL = ["--model.backbone", "SmallCNN", "--model.backbone.width", "4"]
SHORT = ["--trainer.max_epochs", "8", "--model.optimizer.lr", "0.02"]
QUIET = ["--report", "false", "--pictures", "false", "--trainer.accelerator", "cpu"]
STOP = ["--trainer.callbacks+", "EarlyStopping", "--trainer.callbacks.monitor", "val/loss"]
FREE = ["--trainer.callbacks+=ProgressiveUnfreezing", "--trainer.callbacks.train_from={0: all}"]


def write_birds(root):
    """Two classes of 40 images each, 30 x 20 pixels: dark, and light."""
    rng = np.random.default_rng(0)
    for name, brightness in (("crow", 0), ("swan", 150)):
        for index in range(40):
            file = root / "birds" / name / f"{index:02d}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(brightness, brightness + 100, (20, 30, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(file)


@pytest.fixture(scope="module")
def finished(in_new_folder):
    """The folder of a fit, its test, and what they printed."""
    output = StringIO()
    with (
        in_new_folder("one_line") as folder,
        redirect_stdout(output),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("HF_HUB_OFFLINE", "1")  # there are no weights, so nothing is looked for
        write_birds(folder)
        more = ["--data.resize", "crop", "--loggers", "csv", "--time", "10h", *STOP, *FREE]
        main(["fit", "birds", *SMALL, *SHORT, *QUIET, *more])
        main(["test", "--ckpt_path", "best", *QUIET])
    return folder, output.getvalue()


@pytest.fixture
def folder(finished, monkeypatch):
    monkeypatch.chdir(finished[0])
    return finished[0]


@pytest.fixture
def run(folder):
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    [run] = client.search_runs([client.get_experiment_by_name("birds").experiment_id])
    return run


def rows_of(file):
    with Path(file).open() as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def config(run):
    return yaml.safe_load(Path(run.info.artifact_uri, "config", "config.yaml").read_text())


def test_run_records_what_was_chosen(config):
    data = config["data"]["init_args"]
    assert config["recipe"] == "scratch"
    assert config["data"]["class_path"] == "datamodules.ImageFolderDataModule"
    assert (data["root"], data["image_size"], data["batch_size"]) == ("birds", 32, 16)
    assert config["trainer"]["max_epochs"] == 8
    assert config["time"] is None  # the number of epochs repeats the run, the time would not
    assert config["model"]["init_args"]["channels_last"] is True


def test_a_test_without_configuration_uses_the_images_of_the_run(run, config):
    rows = rows_of(Path(run.info.artifact_uri, "predictions", "test.csv"))
    assert len(rows) == 12
    assert run.data.metrics["test/accuracy"] > 0.5


def test_images_to_predict_may_stand_after_the_command(folder, run):
    sample = ["--predictions.sample_submission", "sample.csv"]
    expanded = expand(["predict", "--ckpt_path", "best", "new", *sample]).arguments
    assert "--data.predict=new" in expanded


def test_second_logger_has_the_metrics_too(folder, run):
    [file] = (folder / "mlruns" / "csv" / "birds").glob("version_*/metrics.csv")
    rows = rows_of(file)
    losses = [float(row["val/loss"]) for row in rows if row["val/loss"]]
    assert losses[-1] == pytest.approx(run.data.metrics["val/loss"])


def test_early_stopping_is_added_to_the_callbacks(config):
    assert [c["class_path"].rsplit(".")[-1] for c in config["trainer"]["callbacks"]] == [
        "EarlyStopping",
        "ProgressiveUnfreezing",
    ]


def test_without_pictures_there_are_tables_but_no_figure(run):
    artifacts = Path(run.info.artifact_uri)
    assert not [*artifacts.rglob("*.png"), *artifacts.rglob("*.webp")]
    tables = {file.stem for file in artifacts.glob("tables/*.json")}
    expected = {f"{name}_{split}" for name in ("per_class", "scores") for split in ("val", "test")}
    assert tables >= {"class_counts", "evaluations", "confusions_val", *expected}
    assert "time/pictures" not in run.data.metrics


def test_checkpoint_knows_how_images_were_resized(folder, run):
    file = folder / "mlruns" / "checkpoints" / "birds" / run.info.run_id / "best.ckpt"
    assert torch.load(file, weights_only=True)["resize"] == "crop"


def test_a_few_predictions_are_printed(folder, run, capsys):
    main(["predict", "--ckpt_path", run.info.run_name, "birds/crow/00.png", "birds/swan/00.png"])
    out = capsys.readouterr().out
    assert f"Predictions of {run.info.run_name}, best.ckpt, epoch" in out
    assert "90 % set" in out
    assert out.count("unknown: unlike the images of the validation") == ("unknown\n" in out)
    lines = [line.split() for line in out.splitlines()]
    rows = {cells[0]: cells[1:] for cells in lines if cells and cells[0].endswith(".png")}
    assert {name: cells[0] for name, cells in rows.items()} == {
        "crow/00.png": "crow",
        "swan/00.png": "swan",
    }
    assert all(0.5 <= float(cells[1]) <= 1 for cells in rows.values())
    assert not (folder / "predictions").exists()


def test_broken_images_can_be_left_out_of_predictions(folder, run, tmp_path, capsys):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"1 of 2 images .*:\n.*broken\.png(.|\n)*left"):
        main(
            ["predict", "--ckpt_path", "best", "birds/crow/00.png", str(broken), "--on_error=skip"]
        )
    out = capsys.readouterr().out
    assert "00.png" in out
    assert "broken" not in out


def test_many_predictions_are_a_table_and_each_has_its_overlay(folder, tmp_path, capsys):
    out = tmp_path / "out"
    main(["predict", "--ckpt_path", "best", "birds", "--out", str(out), "--each"])
    rows = rows_of(out / "predictions.csv")
    assert len(rows) == 80
    overlays = sorted((out / "grad_cam").rglob("*.png"))
    assert len(overlays) == 80
    assert Image.open(overlays[0]).size == (30, 20)
    shown = capsys.readouterr().out
    assert "Written     81 files" in shown
    counts = [int(line.split()[1]) for line in shown.splitlines() if line[:4] in ("crow", "swan")]
    assert sum(counts) == 80


def test_predictions_are_those_of_the_test(folder, run, tmp_path):
    """The same images through the datamodule and from their files."""
    tested = rows_of(Path(run.info.artifact_uri, "predictions", "test.csv"))
    known = {row["image"]: row for row in tested}
    main(["predict", "--ckpt_path", "best", "birds", "--out", str(tmp_path)])
    for row in rows_of(tmp_path / "predictions.csv"):
        if row["image"] in known:
            expected = known[row["image"]]
            assert row["predicted"] == expected["predicted"]
            assert float(row["confidence"]) == pytest.approx(
                float(expected["confidence"]), abs=1e-5
            )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["birds/crow/00.png"], "needs a trained network: --ckpt_path best"),
        (["--ckpt_path", "best"], "needs images: --ckpt_path RUN a.jpg DIR"),
        (["--ckpt_path", "best", "none.jpg"], "There is no image or folder none.jpg."),
    ],
)
def test_what_is_missing_for_a_prediction_is_named(folder, capsys, arguments, text):
    with pytest.raises(SystemExit, match="1"):
        main(["predict", *arguments])
    assert text in capsys.readouterr().err


def test_settings_are_printed_without_training(folder, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(
            ["fit", "--data.root=birds", "--recipe=probe", "--data.batch_size=8", "--print_config"]
        )
    config = yaml.safe_load(capsys.readouterr().out)
    assert config["recipe"] == "probe"
    assert config["data"]["init_args"]["batch_size"] == 8
    [unfreezing] = config["trainer"]["callbacks"]
    assert unfreezing["init_args"]["train_from"] == {"0": "head"}  # as jsonargparse prints keys
    assert config["model"]["init_args"]["backbone"]["init_args"]["pretrained"] is True


def test_each_choice_is_said_in_a_line_unless_it_is_given(folder, messages, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SystemExit, match="0"):
        main(["fit", "birds", "--trainer.max_epochs", "3", "--print_config"])
    said = dict(line.split(maxsplit=1) for line in messages.messages)
    assert said["Data"] == "birds: 2 classes, 58 to train, 10 to validate, 12 to test"
    assert said["Recipe"].startswith("transfer: weights of tf_efficientnet_lite0 from a package")
    assert "Epochs" not in said
    assert {"Image", "Batch", "Workers", "Precision"} <= set(said)


@pytest.mark.parametrize("recipe", ["probe", "transfer", "scratch", "better"])
def test_recipes_parse_and_begin_with_their_command(folder, capsys, recipe):
    import lightning_app

    file = Path(lightning_app.__file__).parent / "recipes" / f"{recipe}.yaml"
    assert f"lightning_cli fit PATH --recipe {recipe}" in file.read_text()
    with pytest.raises(SystemExit, match="0"):
        main(["fit", "birds", "--recipe", recipe, "--print_config"])
    shown = yaml.safe_load(capsys.readouterr().out)
    assert (
        shown["trainer"]["max_epochs"] == yaml.safe_load(file.read_text())["trainer"]["max_epochs"]
    )


def test_what_is_not_there_is_refused_before_the_dataset_is_read(folder, capsys):
    for arguments, text in (
        (["birds", "--recipe", "best"], "There is no recipe 'best'; expected probe, transfer"),
        (["nowhere"], "There is no file or folder nowhere. Expected a folder with one"),
        (["nowhere", "--time", "soon"], "Expected --time such as 20m"),
        (["nowhere", "--loggers=[csv, wandb]"], "pip install wandb"),
        (["nowhere", "--loggers", "tensorbord"], "expects csv, tensorboard, wandb, or a list"),
    ):
        with pytest.raises(SystemExit, match="1"):
            main(["fit", *arguments, *SMALL])
        assert text in capsys.readouterr().err


def test_shipped_configurations_are_found_by_name(folder, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["fit", "--config", "digits", "--print_config"])
    assert "DigitsDataModule" in capsys.readouterr().out


def test_a_configuration_is_checked_before_the_dataset_is_read(folder, tmp_path, capsys):
    file = tmp_path / "wrong.yaml"
    data = "data: {class_path: ImageFolderDataModule, init_args: {root: nowhere}}"
    file.write_text(f"loggers: [csv, wandb]\npictures: no\n{data}\n")
    with pytest.raises(SystemExit, match="1"):
        main(["fit", "--config", str(file), "--model", "ImageClassifier", *SMALL, *SHORT])
    assert "--loggers wandb needs a package that is not installed" in capsys.readouterr().err
