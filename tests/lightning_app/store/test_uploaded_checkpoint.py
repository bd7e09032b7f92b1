"""Checkpoints that were uploaded are found where there is no other copy of them."""

import os
import time

import boto3
import pytest
import torch
from moto.server import ThreadedMotoServer

from lightning_app.store import drivers, uploaded_checkpoint
from lightning_app.store.checkpoints import find_checkpoint, read_checkpoint
from lightning_app.store.locations import tracking_uri
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.stored_run import open_stored_run
from lightning_app.store.uploaded_checkpoint import upload


@pytest.fixture
def make_run(client, workplace):
    """Function that uploads a checkpoint of an epoch for a run, which is new or has an id."""
    experiment = client.create_experiment("hand")

    def make(epoch, run_id=None, name="net-1a2b", **tags):
        if run_id is None:
            run_id = client.create_run(experiment, run_name=name, tags=tags).info.run_id
        torch.save({"state_dict": {}, "epoch": epoch, "mlflow_run_id": run_id}, "best.ckpt")
        upload(client, run_id, workplace / "best.ckpt")
        (workplace / "best.ckpt").unlink()
        return run_id

    return make


@pytest.fixture
def elsewhere(workplace, monkeypatch):
    """Folder of the store on another machine, which reaches the same runs at a server."""
    (folder := workplace / "elsewhere").mkdir()
    (folder / "mlflow.db").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workplace / 'mlruns' / 'mlflow.db'}")
    monkeypatch.setattr(uploaded_checkpoint, "is_local", lambda uri: False)
    return folder


def test_uploaded_checkpoint_is_found_by_name_and_downloaded_once(make_run, elsewhere):
    run_id = make_run(3)
    file = find_checkpoint("net-1a2b", root=elsewhere)
    assert file == elsewhere / "downloads" / run_id / "best.ckpt"
    assert read_checkpoint(file)["epoch"] == 3
    os.utime(file, (1, 1))
    assert find_checkpoint(run_id, root=elsewhere).stat().st_mtime == 1


def test_newer_checkpoint_replaces_the_one_that_was_downloaded(make_run, elsewhere):
    run_id = make_run(3)
    find_checkpoint(run_id, root=elsewhere)
    make_run(7, run_id)
    assert read_checkpoint(find_checkpoint(run_id, root=elsewhere))["epoch"] == 7


def test_best_is_the_newest_run_that_was_uploaded_and_is_no_child(make_run, elsewhere):
    make_run(3)
    time_of_newest = make_run(5, name="newest")
    make_run(6, **{"mlflow.parentRunId": time_of_newest})
    assert read_checkpoint(find_checkpoint("best", root=elsewhere))["epoch"] == 5
    assert read_checkpoint(find_checkpoint("best", "hand", root=elsewhere))["epoch"] == 5
    with pytest.raises(ValueError, match="No run of the experiment 'other' has a checkpoint best"):
        find_checkpoint("best", "other", root=elsewhere)


def test_best_is_a_run_of_this_machine_if_it_is_newer_than_all_uploads(make_run, elsewhere):
    make_run(3)
    file = elsewhere / "checkpoints" / "hand" / "own" / "best.ckpt"
    file.parent.mkdir(parents=True)
    torch.save({"state_dict": {}, "epoch": 9}, file)
    os.utime(file, (later := time.time() + 60, later))
    assert find_checkpoint("best", root=elsewhere) == file
    os.utime(file, (1, 1))
    assert read_checkpoint(find_checkpoint("best", root=elsewhere))["epoch"] == 3


def test_registered_model_is_found_by_its_uploaded_checkpoint(make_run, elsewhere, client):
    run_id = make_run(3)
    experiment = client.get_run(run_id).info.experiment_id
    tags = {"checkpoint": "best", "epoch": "3"}
    model = client.create_logged_model(experiment, source_run_id=run_id, tags=tags)
    client.create_registered_model("digits")
    client.create_model_version("digits", f"models/{model.model_id}/artifacts", run_id)
    assert read_checkpoint(find_checkpoint("models:/digits/1", root=elsewhere))["epoch"] == 3
    make_run(4, run_id)
    with pytest.raises(ValueError, match=r"is of epoch 4 now, since the run was resumed"):
        find_checkpoint("models:/digits/1", root=elsewhere)


def test_damaged_upload_is_refused(make_run, elsewhere, client):
    run_id = make_run(3)
    client.set_tag(run_id, "checkpoint.best", "0" * 64)
    with pytest.raises(ValueError, match=r"uploaded best\.ckpt of net-1a2b is damaged"):
        find_checkpoint(run_id, root=elsewhere)


def test_artifacts_in_s3_are_written_and_read(client, workplace, monkeypatch):
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", address)
    try:
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket="runs")
        experiment = client.create_experiment("in s3", "s3://runs/here")
        run_id = client.create_run(experiment, run_name="net-1a2b").info.run_id
        torch.save({"state_dict": {}, "epoch": 3}, "best.ckpt")
        upload(client, run_id, workplace / "best.ckpt")
        assert read_checkpoint(find_checkpoint("net-1a2b"))["epoch"] == 3
        with open_stored_run(client, client.get_run(run_id)) as record:
            assert record.files == ["checkpoints/best.ckpt"]
    finally:
        server.stop()


def test_missing_drivers_are_named(client, monkeypatch):
    client.create_experiment("in s3", "s3://runs/here")
    monkeypatch.setattr(drivers, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"in s3://runs/here, which needs boto3: install `light"):
        RunLogger("in s3")._open()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me@db/runs")
    with pytest.raises(ValueError, match=r"driver psycopg2 is not installed. Install `lightning-i"):
        tracking_uri()


def test_run_without_an_upload_says_how_to_make_one(elsewhere, client):
    run = client.create_run(client.create_experiment("hand"), run_name="net-1a2b")
    with pytest.raises(ValueError, match="Fits with `--checkpoints upload` leave their best one"):
        find_checkpoint(run.info.run_id, root=elsewhere)
