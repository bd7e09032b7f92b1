"""A store whose folder was moved or copied finds its artifacts, and writes beside itself."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from lightning_app.store.locations import ROOT, create_experiment, local_uri, tracking_uri


@pytest.fixture
def run(workplace, client, monkeypatch):
    """A run in `first/mlruns` with an artifact and a registered model."""
    (workplace / "first").mkdir()
    (workplace / "mlruns").rename(workplace / "first" / "mlruns")
    monkeypatch.chdir(workplace / "first")
    client = MlflowClient(local_uri())
    experiment = create_experiment(client, "moved", ROOT, tracking_uri())
    run = client.create_run(experiment, run_name="old")
    client.log_text(run.info.run_id, "before", "note.txt")
    model = client.create_logged_model(experiment, source_run_id=run.info.run_id)
    client.create_registered_model("m")
    client.create_model_version("m", model.artifact_location, run.info.run_id)
    return run


def paths(root):
    with closing(sqlite3.connect(root / "mlruns" / "mlflow.db")) as database:
        queries = (
            "SELECT artifact_location FROM experiments WHERE name = 'moved'",
            "SELECT artifact_uri FROM runs",
            "SELECT artifact_location FROM logged_models",
            "SELECT source FROM model_versions",
        )
        return [Path(path) for query in queries for (path,) in database.execute(query)]


@pytest.mark.parametrize("place", [shutil.move, shutil.copytree])
def test_everything_is_found_and_written_below_the_new_folder(workplace, monkeypatch, run, place):
    place(workplace / "first", workplace / "second")
    monkeypatch.chdir(workplace / "second")
    client = MlflowClient(local_uri())
    note = client.download_artifacts(run.info.run_id, "note.txt")
    assert Path(note).read_text() == "before"
    new = client.create_run(create_experiment(client, "moved", ROOT, tracking_uri()))
    client.log_text(new.info.run_id, "after", "note.txt")
    found = paths(workplace / "second")
    assert len(found) == 5
    assert all(path.is_relative_to(workplace / "second" / "mlruns") for path in found)
    assert (workplace / "first").exists() == (place is shutil.copytree)


def test_artifacts_that_stayed_where_they_were_are_still_found(workplace, monkeypatch, run):
    (workplace / "second" / "mlruns").mkdir(parents=True)
    shutil.move(workplace / "first/mlruns/mlflow.db", workplace / "second/mlruns/mlflow.db")
    monkeypatch.chdir(workplace / "second")
    client = MlflowClient(local_uri())
    note = client.download_artifacts(run.info.run_id, "note.txt")
    assert Path(note).read_text() == "before"


def test_a_store_that_has_not_moved_is_not_written(workplace, run):
    before = (workplace / "first/mlruns/mlflow.db").read_bytes()
    local_uri()
    assert (workplace / "first/mlruns/mlflow.db").read_bytes() == before


def test_a_database_that_is_none_is_left_to_mlflow(workplace):
    (workplace / "other").mkdir()
    (workplace / "other" / "mlflow.db").write_text("no database")
    assert local_uri(Path("other")) == f"sqlite:///{workplace}/other/mlflow.db"
