"""Tests of one run: its training images, other checkpoints, and a second test."""

import csv
import io
import json
import re

import pytest
from mlflow import MlflowClient

from lightning_app.cli.picture_options import picture_types
from lightning_app.main import main
from lightning_app.store.corruption_scores import corruption_scores
from lightning_app.store.describe_run import splits_of
from lightning_app.store.evaluations import evaluations_of
from lightning_app.store.run_scores import results_of
from lightning_app.store.stored_run import open_stored_run

CONFIG = {
    "data": {
        "class_path": "SyntheticDataModule",
        "init_args": {"num_images": 80, "batch_size": 16},
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {
            "backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}},
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 3e-2}},
        },
    },
    "pictures": dict.fromkeys(picture_types(), False) | {"per_class": True},
    "report": False,
    "trainer": {
        "max_epochs": 2,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "tested"}},
    },
}
OTHER = ["--data.split.seed", "1"]
NO_TABLES = ["--pictures.per_class", "false"]


def command(name, *options):
    main([name, "--config", "config.yaml", *options])


@pytest.fixture(scope="module")
def finished(in_new_folder):
    """A folder with a fit whose first and last checkpoint were tested, then other images."""
    with in_new_folder("tested", CONFIG) as folder:
        command("fit", "--best_checkpoint.monitor=train/loss", "--best_checkpoint.mode=max")
        command("test", "--ckpt_path", "best")  # of epoch 0, as the loss falls
        command("test", "--ckpt_path", "last", "--corrupt=12", *NO_TABLES)
        command("test", "--ckpt_path", "last", *NO_TABLES)
        command(
            "test", "--ckpt_path", "last", "--allow_seen=true", "--corrupt=2", *OTHER, *NO_TABLES
        )
    return folder


@pytest.fixture
def place(finished, monkeypatch):
    monkeypatch.chdir(finished)
    return finished


@pytest.fixture
def run(place):
    client = MlflowClient(f"sqlite:///{place / 'mlruns' / 'mlflow.db'}")
    [experiment] = [e for e in client.search_experiments() if e.name == "tested"]
    with open_stored_run(client, client.search_runs([experiment.experiment_id])[0]) as record:
        yield record


def rows(run, file):
    return list(csv.DictReader(io.StringIO(run.text(file))))


def seen_images(run):
    trained = {row["image"] for row in rows(run, "data/splits.csv") if row["split"] == "train"}
    tested = [row["image"] for row in rows(run, "predictions/test_seen.csv")]
    return len(trained & set(tested)), len(tested)


def test_every_evaluation_is_recorded(run):
    found = [(e.split, e.checkpoint, e.epoch, e.images) for e in evaluations_of(run)]
    assert found == [
        ("val", "last", 1, 12),
        ("test", "best", 0, 16),
        *[("test", "last", 1, 16)] * 2,
        ("test_seen", "last", 1, 16),
    ]


def test_the_results_of_another_checkpoint_are_kept(run):
    assert "earlier/test_1/tables/scores_test.json" in run.files
    assert not any(file.startswith("earlier/test_2") for file in run.files)  # the same test again
    best, last = [e.scores["accuracy"] for e in evaluations_of(run) if e.split == "test"][:2]
    for file, accuracy in (("earlier/test_1/", best), ("", last)):
        table = rows(run, f"{file}predictions/test.csv")
        correct = sum(row["label"] == row["predicted"] for row in table) / len(table)
        assert correct == pytest.approx(accuracy)


def test_no_interval_of_one_test_stands_beside_the_number_of_another(run):
    assert "tables/scores_test.json" not in run.files  # it was of the best checkpoint
    [test, validation] = results_of(run, splits_of(run))
    assert (test.checkpoint, test.images) == ("last (epoch 1)", 16)
    assert (validation.checkpoint, validation.images) == ("last (epoch 1)", 12)
    last = evaluations_of(run)[-2]
    assert test.time == last.time
    assert {m.name: s.value for m, s in test.scores.items()} == last.scores


def test_a_tag_names_checkpoint_images_and_date(run):
    assert run.tags["evaluated.test"].startswith("last (epoch 1), 16 images, 20")


def test_scores_on_training_images_have_another_name(run):
    seen, total = seen_images(run)
    assert (evaluations_of(run)[-1].seen, total) == (seen, 16)
    assert seen > 0
    assert {"test/accuracy", "test_seen/accuracy"} <= run.metrics.keys()
    assert list(run.history("test/accuracy")) == [0, 1]
    assert "evaluated.test_seen" in run.tags


def test_scores_on_corrupted_training_images_have_another_name(run):
    assert {"corrupted/accuracy", "corrupted_seen/accuracy"} <= run.metrics.keys()
    tested = {scores.split: scores for scores in corruption_scores(run)}
    assert tested["test_seen"].images == 2
    assert tested["test_seen"].accuracy == pytest.approx(run.metrics["corrupted_seen/accuracy"])
    assert "figures/test_seen_corruptions.png" in run.files


@pytest.mark.parametrize(("name", "split"), [("test", "test"), ("validate", "val")])
def test_training_images_are_not_evaluated_by_mistake(place, run, capsys, name, split):
    before = len(evaluations_of(run))
    with pytest.raises(SystemExit):
        command(name, "--ckpt_path", "last", *OTHER)
    error = capsys.readouterr().err
    if split == "test":
        assert "{} of {} test images were trained on in the run ".format(*seen_images(run)) in error
    assert f"{split} images were trained on in the run '{run.run.info.run_name}'. The" in error
    assert "settings differ: data.split.seed is 1, there 0. Use the settings of the run" in error
    assert len(evaluations_of(run)) == before


def test_predictions_for_training_images_are_made_with_a_word(place, run, messages):
    command("predict", "--ckpt_path", "last", *OTHER)
    assert "expect more mistakes among new images" in messages.text


def test_a_fit_is_not_resumed_with_training_images_in_its_validation(place, run, capsys):
    with pytest.raises(SystemExit):
        command("fit", "--ckpt_path", "last", "--trainer.max_epochs=3", *OTHER)
    assert "Resume with the settings of the run, or start a new run" in capsys.readouterr().err
    assert run.run.info.status == "FINISHED"


def test_a_fit_that_is_refused_leaves_no_experiment(place, capsys):
    with pytest.raises(SystemExit):
        command("fit", "--trainer.logger.experiment_name=none", "--model.optimizer.lr=-1")
    assert "Report" not in capsys.readouterr().out
    client = MlflowClient(f"sqlite:///{place / 'mlruns' / 'mlflow.db'}")
    assert client.get_experiment_by_name("none") is None


def test_the_report_tells_of_each_score_its_checkpoint_images_and_date(place, run, parse):
    main(["report", run.run.info.run_id, "--out", "report.html"])
    page = parse((place / "report.html").read_text())
    assert "accuracy, test, last (epoch 1)" in page.words
    assert "All evaluations, the newest first" in page.words
    assert page.words.count("best (epoch 0)") == 1
    assert "test, with training images" in page.words
    for table in re.findall(r"<table.*?</table>", page.source, re.DOTALL):
        rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        assert len({len(re.findall(r"<t[hd][ >]", row)) for row in rows}) == 1, table


def test_the_table_of_evaluations_is_listed_for_the_ui(run):
    listed = json.loads(run.tags["mlflow.loggedArtifacts"])
    assert {"path": "tables/evaluations.json", "type": "table"} in listed


def test_scores_on_corrupted_images_are_in_the_run_and_its_report(place, run, parse):
    table = run.table("tables/corruptions_test.json")
    assert (len(table), table[0]["images"]) == (76, 12)
    assert table[0]["accuracy"] == pytest.approx(run.metrics["corrupted/clean_accuracy"])
    mean = sum(row["accuracy"] for row in table[1:]) / 75
    assert run.metrics["corrupted/accuracy"] == pytest.approx(mean)
    assert {"figures/test_corruptions.png", "figures/test_corrupted_image.png"} <= {*run.files}
    main(["report", run.run.info.run_id, "--out", "corrupted.html"])
    page = parse((place / "corrupted.html").read_text())
    assert "On 12 images (test), accuracy is" in page.text
    assert "An image in all corruptions" in page.words
