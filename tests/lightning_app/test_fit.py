"""A fit, a test and a validation on the command line, and everything that their run contains."""

import csv
import json
import subprocess
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import torch
import yaml
from mlflow import MlflowClient

from lightning_app.main import main
from lightning_app.store.checkpoints import find_checkpoint
from models import ImageClassifier

CONFIG = {
    "data": {
        "class_path": "SyntheticDataModule",
        "init_args": {"num_images": 80, "batch_size": 16},
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {
            "backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}},
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 3e-3}},
        },
    },
    "pictures": {  # all of them, each with little to compute
        "saliency": {"num_images": 2},
        "feature_maps": {"num_maps": 4},
        "activation_maximisation": {"steps": 2, "num_filters": 2},
        "embedding": {"method": "pca"},
        "label_suspects": {"training": False},
        "honesty": {"num_images": 2, "num_steps": 2, "num_stages": 2},
        "shortcuts": {"num_images": 8},
        "concepts": {"num_images": 4, "num_concepts": 2},
    },
    "trainer": {
        "max_epochs": 2,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "log_every_n_steps": 1,
        "logger": {"init_args": {"experiment_name": "pictures"}},
    },
}


PLAIN = ["--pictures.budget=0", "--report=false"]
TESTED = ["--ckpt_path=best", "--pictures.mistakes=false", "--pictures.label_suspects=false"]


@pytest.fixture(scope="module")
def finished(in_new_folder):
    """The folder in which a fit, a test and a validation ran, and what they printed."""
    with in_new_folder("finished", CONFIG) as folder, redirect_stdout(StringIO()) as output:
        main(["fit", "--config", "config.yaml"])
        main(["test", "--config", "config.yaml", *TESTED])
        main(["validate", "--config", "config.yaml", "--ckpt_path", "best", *PLAIN])
    return folder, output.getvalue()


@pytest.fixture
def folder(finished, monkeypatch):
    monkeypatch.chdir(finished[0])
    return finished[0]


@pytest.fixture
def store(folder):
    return MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")


@pytest.fixture
def run(store):
    [experiment] = [e for e in store.search_experiments() if e.name == "pictures"]
    [run] = store.search_runs([experiment.experiment_id])  # the test continued the run of the fit
    return run


@pytest.fixture
def artifact(store, run):
    """Return a function that reads a text artifact."""
    return lambda path: Path(store.download_artifacts(run.info.run_id, path)).read_text()


def paths(store, run, folder=None):
    for file in store.list_artifacts(run.info.run_id, folder):
        if file.is_dir:
            yield from paths(store, run, file.path)
        else:
            yield file.path


def test_fit_says_whether_it_has_learned_little(finished, run):
    accuracy = run.data.metrics["train/accuracy"]
    assert ("Learned     little" in finished[1]) == (accuracy < 0.625)  # four classes of one size


def test_fit_ends_with_four_lines(finished, run):
    lines = finished[1].splitlines()
    lines = [line for line in lines if not line.startswith(("Learned", " "))]
    start = next(i for i, line in enumerate(lines) if line.startswith("Best"))
    best, checkpoint, name, look = lines[start : start + 4]
    assert best.startswith("Best        val/accuracy ")
    assert checkpoint == f"Checkpoint  mlruns/checkpoints/pictures/{run.info.run_id}/best.ckpt"
    assert name == f"Run         {run.info.run_name}, in the experiment pictures"
    assert look in ("Look at it  lightning_cli ui", "Look at it  uv run lightning_cli ui")


def test_run_is_finished_and_named_after_the_backbone(run):
    assert run.info.status == "FINISHED"
    assert run.info.run_name.startswith("SmallCNN-")


def test_run_has_metrics_of_every_stage(run):
    names = {name for name in run.data.metrics if not name.startswith("system/")}
    assert names >= {
        "time/pictures",
        *("time/epoch", "memory/peak"),
        *(
            f"{stage}/{name}"
            for stage in ("val", "test")
            for name in ("loss", "accuracy", "f1_macro")
        ),
        *("train/loss", "train/accuracy", "train/loss_step"),
        *("params/total", "params/trainable"),
        *(f"lr/{group}" for group in ("block1", "block2", "block3", "head")),
    }


def test_metrics_of_epochs_are_logged_by_epoch_and_those_of_steps_by_step(store, run):
    def steps(name):
        return [m.step for m in store.get_metric_history(run.info.run_id, name)]

    assert steps("train/loss") == steps("train/accuracy") == steps("lr/head") == [0, 1]
    assert steps("train/loss_step") == [0, 1, 2, 3, 4, 5]  # 52 images, three batches of 16


def test_metrics_of_a_test_are_logged_at_the_epoch_of_the_checkpoint(store, run):
    def points(name):
        return [(m.step, m.value) for m in store.get_metric_history(run.info.run_id, name)]

    file = f"mlruns/checkpoints/pictures/{run.info.run_id}/best.ckpt"
    epoch = torch.load(file, weights_only=True)["epoch"]
    *fitted, again = points("val/accuracy")
    assert [step for step, _ in fitted] == [0, 1]
    assert again == fitted[epoch]
    assert [step for step, _ in points("test/accuracy")] == [epoch]


def test_parameters_have_short_names_and_full_values(run):
    assert run.data.params["model.backbone"] == "models.SmallCNN"
    assert run.data.params["model.backbone.width"] == "4"
    assert run.data.params["model.optimizer.lr"] == "0.003"
    assert run.data.params["data.num_images"] == "80"


def test_dataset_is_logged_with_digest_and_class_counts(run):
    inputs = {item.dataset.name: item.dataset for item in run.inputs.dataset_inputs}
    assert set(inputs) == {"Synthetic/train", "Synthetic/val", "Synthetic/test"}
    profile = json.loads(inputs["Synthetic/train"].profile)
    assert sum(profile["class_counts"].values()) == profile["num_images"] == 52
    assert len({dataset.digest for dataset in inputs.values()}) == 3


def test_code_version_and_command_are_tags(run):
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    assert run.data.tags.get("mlflow.source.git.commit", "") == commit
    assert run.data.tags["command"] == "lightning_cli fit --config config.yaml"


def test_artifacts_are_all_there(store, run):
    found = set(paths(store, run))
    figures = (
        "class_counts",
        "class_samples",
        "samples",
        "learning_curves",
        "test_confusion_matrix",
    )
    assert {f"figures/{name}.png" for name in figures} <= found
    assert {"config/config.yaml", "config/environment.txt", "model/summary.txt"} <= found
    assert {"data/splits.csv", "tables/per_class_test.json", "predictions/test.csv"} <= found
    # A validation of another checkpoint, which drew nothing, came after the fit.
    assert {"earlier/val_1/tables/per_class_val.json", "tables/evaluations.json"} <= found


def test_class_counts_are_a_table_before_and_after_splitting(artifact):
    table = json.loads(artifact("tables/class_counts.json"))
    assert table["columns"] == ["class", "all", "train", "val", "test"]
    counts = {name: numbers for name, *numbers in table["data"]}
    assert [sum(numbers) for numbers in zip(*counts.values(), strict=True)] == [80, 52, 12, 16]
    assert all(total == sum(parts) for total, *parts in counts.values())


def test_last_epoch_has_every_picture(store, run):
    images = [path for path in paths(store, run, "images") if path.endswith(".png")]
    keys = {(name.split("+")[0].split("~")[1], name.split("+")[2]) for name in images}
    expected = {"confusion_matrix", "confusion_counts", "filters", "grad_cam", "saliency"}
    expected |= {"feature_maps", "mistakes", "per_class", "calibration", "embedding"}
    assert {(name, "1") for name in expected} <= keys  # the budget leaves out some of epoch 0


def test_pictures_of_the_end_are_figures(store, run):
    figures = list(paths(store, run, "figures"))
    for name in ("activation_maximisation", "label_suspects", "honesty", "shortcuts", "concepts"):
        assert any(name in figure for figure in figures)


def test_model_summary_counts_the_parameters(artifact, run):
    total = int(run.data.metrics["params/total"])
    assert "Trainable params" in artifact("model/summary.txt")
    model = ImageClassifier.load_from_checkpoint(
        f"mlruns/checkpoints/pictures/{run.info.run_id}/best.ckpt"
    )
    assert sum(parameter.numel() for parameter in model.parameters()) == total


@pytest.mark.parametrize("split", ["val", "test"])
def test_predictions_join_names_labels_and_classes(artifact, run, split):
    rows = list(csv.DictReader(StringIO(artifact(f"predictions/{split}.csv"))))
    splits = list(csv.DictReader(StringIO(artifact("data/splits.csv"))))
    labels = {row["image"]: row["label"] for row in splits if row["split"] == split}
    assert {row["image"]: row["label"] for row in rows} == labels
    correct = sum(row["label"] == row["predicted"] for row in rows) / len(rows)
    assert run.data.metrics[f"{split}/accuracy"] == pytest.approx(correct)


def test_saved_config_repeats_the_run_to_the_last_digit(artifact, store, run, folder):
    (folder / "again.yaml").write_text(artifact("config/config.yaml"))
    main(["fit", "--config", "again.yaml", "--trainer.logger.experiment_name=again", *PLAIN])
    [experiment] = [e for e in store.search_experiments() if e.name == "again"]
    [again] = store.search_runs([experiment.experiment_id])
    for name in ("val/accuracy", "val/loss", "train/loss"):
        assert again.data.metrics[name] == run.data.metrics[name]


def test_saved_config_names_our_classes_by_paths_that_stay(artifact):
    trainer = yaml.safe_load(artifact("config/config.yaml"))["trainer"]
    assert trainer["logger"]["class_path"] == "lightning_app.store.RunLogger"
    assert trainer["plugins"] == [{"class_path": "lightning_app.store.AtomicCheckpointIO"}]


def test_config_saved_by_an_earlier_version_tests_a_checkpoint(artifact, run, folder, store):
    config = artifact("config/config.yaml").replace(
        "lightning_app.store.RunLogger", "lightning_app.tracking.run_logger.RunLogger"
    )
    (folder / "old.yaml").write_text(
        config.replace(
            "lightning_app.store.AtomicCheckpointIO",
            "lightning_app.checkpoint_io.AtomicCheckpointIO",
        )
    )
    file = f"mlruns/checkpoints/pictures/{run.info.run_id}/best.ckpt"
    before = run.data.metrics["test/loss"]
    main(["test", "--config", "old.yaml", "--ckpt_path", file, *PLAIN])
    history = store.get_metric_history(run.info.run_id, "test/loss")
    assert [metric.value for metric in history] == [before, before]


def test_run_is_found_by_name_or_id_with_its_best_or_last_checkpoint(run, folder):
    own = Path("mlruns/checkpoints/pictures") / run.info.run_id
    for wanted in (run.info.run_name, run.info.run_id):
        assert find_checkpoint(wanted) == own / "best.ckpt"
        assert find_checkpoint(wanted, order=["last"]) == own / "last.ckpt"
    with pytest.raises(ValueError, match="has no first checkpoint in mlruns"):
        find_checkpoint(run.info.run_name, order=["first"])


def test_checkpoints_load_without_pickle_and_name_their_run(run, folder):
    for name in ("best", "last"):
        file = folder / f"mlruns/checkpoints/pictures/{run.info.run_id}/{name}.ckpt"
        assert torch.load(file, weights_only=True)["mlflow_run_id"] == run.info.run_id
