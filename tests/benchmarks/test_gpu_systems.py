import json
from types import SimpleNamespace

import gpu_systems
import gpu_systems_data
import pytest
from gpu_systems_data import SYSTEMS, balanced_characters, scenes
from gpu_systems_fit import CONFIGS, duration, kind_of, training_of, weights_of

from datamodules import SyntheticDataModule


def write_faces(file, rows_per_class=5):
    rows = [
        f"{k},{' '.join([str(30 * k + i)] * 2304)}" for i in range(rows_per_class) for k in range(7)
    ]
    file.write_text("\n".join(["label,feature", *rows]))


@pytest.mark.slow
def test_one_batch_of_a_system_is_trained_and_tested_and_a_failure_stops_no_other(
    workplace, monkeypatch, capsys
):
    monkeypatch.setattr(gpu_systems_data, "FACES_TESTED", 7)
    write_faces(workplace / "faces.csv")
    (workplace / "empty").mkdir()
    configs = ["fer2013_dnn", "scenes_resnet50", "simpsons_resnet152"]
    paths = ["--faces=faces.csv", "--scenes=empty", "--out=out"]
    assert gpu_systems.main(["--one_batch", *paths, "--configs", *configs]) == 1

    found = json.loads((workplace / "out" / "systems.json").read_text())
    assert found["one_batch"] is True
    row, failed = found["rows"]
    assert [row[name] for name in ("config", "images", "classes", "tested")] == [
        "fer2013_dnn",
        21,  # of each class one is tested and one validated
        7,
        7,
    ]
    assert (row["epochs"], row["of"], row["weights"]) == (1, 1, None)
    assert row["accuracy"] == row["correct"] / 7
    assert 0 <= row["low"] <= row["accuracy"] <= row["high"] <= 1
    assert row["images/s"] * row["s/epoch"] == pytest.approx(21)
    assert failed["config"] == "scenes_resnet50"
    assert failed["error"].startswith("ValueError: ")
    printed = capsys.readouterr().out
    assert "S0 simpsons_resnet152: skipped, no --simpsons\n" in printed
    assert f"S3  {'fer2013_dnn':>26}       21        7" in printed
    assert (workplace / "out" / "mlruns" / "mlflow.db").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--configs", "s4"], "There is no system s4; there are fer2013_dnn, "),
        (["--scenes", "nowhere"], "--scenes: there is no .*nowhere."),
    ],
)
def test_missing_paths_and_systems_are_reported_before_anything_is_trained(
    workplace, arguments, message
):
    with pytest.raises(SystemExit, match=message):
        gpu_systems.main([*arguments])


def test_systems_are_the_published_ones_each_with_its_better_recipe():
    names = [system.config for system in SYSTEMS]
    assert len(names) == 10
    assert all((CONFIGS / f"{name}.yaml").is_file() for name in names)
    assert names[1::2] == [f"{name}_better" for name in names[::2]]


def finished(steps):
    """A fit of 52 images in four batches."""
    trainer = SimpleNamespace(num_training_batches=4, global_step=steps, max_epochs=20)
    return SimpleNamespace(trainer=trainer, datamodule=SyntheticDataModule(80, batch_size=16))


def test_a_cut_epoch_counts_as_a_part_and_not_for_the_speed():
    row = training_of(finished(steps=14), [4.0, 2.0, 3.0, 0.5])
    assert (row["epochs"], row["of"], row["seconds"]) == (3.5, 20, 9.5)
    assert (row["s/epoch"], row["images"], row["images/s"]) == (3.0, 52, 52 / 3)


def test_seconds_of_a_single_cut_epoch_are_extrapolated():
    row = training_of(finished(steps=1), [2.0])
    assert (row["epochs"], row["s/epoch"], row["images/s"]) == (0.25, 8.0, 6.5)


def test_weights_are_found_by_the_name_of_the_network(tmp_path):
    backbone = {"init_args": {"name": "resnet152", "pretrained": True}}
    for other in ("resnet152_wide.pth", "wide_resnet152.pth", "resnet152.txt"):
        (tmp_path / other).touch()
    random = weights_of(backbone, tmp_path)
    assert random == {"model.backbone.pretrained": False}
    assert kind_of(random) == "random"
    file = tmp_path / "resnet152-f82ba261.pth"
    file.touch()
    assert weights_of(backbone, tmp_path) == {"model.backbone.weights": file}
    assert kind_of({"model.backbone.weights": file}) == "pretrained"


def test_a_network_from_scratch_needs_no_weights(tmp_path):
    (tmp_path / "ResNet-1.pth").touch()
    assert weights_of({"class_path": "ResNet"}, tmp_path) == {}
    assert kind_of({}) is None


def test_scenes_are_read_in_their_own_layout_or_from_class_folders(tmp_path):
    own = {"image_size": 150, "augmentation": "s2", "options": {}, "columns": {"image": 0}}
    assert scenes(tmp_path, own, SimpleNamespace()) == {
        "data": "ImageFolderDataModule",
        "data.root": tmp_path,
        "data.image_size": 150,
        "data.augmentation": "s2",
        "data.options": {},
    }
    (tmp_path / "train_data.csv").touch()
    settings = scenes(tmp_path, own, SimpleNamespace())
    assert settings["data.root"] == tmp_path / "images"
    assert settings["data.manifest"]["val"] == tmp_path / "val_data.csv"
    assert "data" not in settings


def test_characters_are_balanced_once(tmp_path, write_image):
    for name in ("bart", "lisa"):
        for index in range(4):
            write_image(tmp_path / "few" / name / f"{index}.png", (index, 2, 3))
    options = SimpleNamespace(out=tmp_path / "out", one_batch=True)
    first = balanced_characters(tmp_path / "few", {}, options)
    lines = first["data.manifest"].read_text().splitlines()
    assert sum(",train" in line for line in lines) == 2 * 3
    changed = first["data.manifest"].stat().st_mtime_ns
    assert balanced_characters(tmp_path / "few", {}, options) == first
    assert first["data.manifest"].stat().st_mtime_ns == changed


def test_durations_are_written_as_the_trainer_reads_them():
    assert [duration(seconds) for seconds in (10.4, 61, 3600)] == [
        "00:00:00:10",
        "00:00:01:01",
        "00:01:00:00",
    ]
