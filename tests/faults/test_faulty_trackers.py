"""Training goes on at full speed whatever the tracker does, and nothing that is written is lost."""

import logging
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback
from mlflow import MlflowClient
from mlflow.entities import Metric, ViewType
from werkzeug.serving import make_server

from lightning_app.main import main
from lightning_app.store import spooling_client, write_sender
from lightning_app.store.artifacts import files_below
from lightning_app.store.run_logger import RunLogger
from lightning_app.store.spooling_client import SpoolingClient
from lightning_app.store.stored_run import open_stored_run


class Tracker:
    """Serves MLflow on a port of this machine, in a thread.

    Attributes:
        held: While it is set, no request is answered.
        status: A status of HTTP, such as 403, that answers every request; None for MLflow's own.
    """

    def __init__(self, app):
        self.app, self.status = app, None
        self.held, self.released = False, threading.Event()
        self.server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.uri = f"http://127.0.0.1:{self.server.port}"
        serve = partial(self.server.serve_forever, poll_interval=0.01)
        self.thread = threading.Thread(target=serve, daemon=True)
        self.thread.start()

    def _answer(self, environ, start_response):
        if self.held:
            self.released.wait(60)
        if self.status is not None:
            start_response(f"{self.status} No", [("Content-Type", "text/plain")])
            return [b"no"]
        return self.app(environ, start_response)

    def release(self):
        """Answer again."""
        self.held = False
        self.released.set()

    def stop(self):
        """Stop listening: connections are refused."""
        self.release()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Once(Callback):
    """Calls a function at the beginning of the second epoch."""

    def __init__(self, act):
        self.act = act

    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            self.act(trainer.logger)


@pytest.fixture
def tracker(workplace, monkeypatch, store_template):
    """A server with an empty store, at `MLFLOW_TRACKING_URI`."""
    from mlflow.server import app, handlers
    from mlflow.server.constants import ARTIFACTS_DESTINATION_ENV_VAR, BACKEND_STORE_URI_ENV_VAR

    (workplace / "server").mkdir()
    (workplace / "server" / "mlflow.db").write_bytes(store_template.read_bytes())
    monkeypatch.setenv(BACKEND_STORE_URI_ENV_VAR, f"sqlite:///{workplace}/server/mlflow.db")
    monkeypatch.setenv(ARTIFACTS_DESTINATION_ENV_VAR, f"{workplace}/server/artifacts")
    monkeypatch.setenv("_MLFLOW_SERVER_SERVE_ARTIFACTS", "true")
    monkeypatch.setenv("_MLFLOW_SERVER_ARTIFACT_ROOT", "mlflow-artifacts:/")
    monkeypatch.setattr(handlers, "_tracking_store", None)
    monkeypatch.setattr(handlers, "_artifact_repo", None)
    tracker = Tracker(app)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)
    yield tracker
    tracker.stop()


@pytest.fixture
def short_waits(monkeypatch):
    """The end of a fit and reads wait for a moment only."""
    monkeypatch.setattr(spooling_client, "READ_SECONDS", 0.2)
    monkeypatch.setattr(spooling_client, "CLOSE_SECONDS", 0.2)


@pytest.fixture(autouse=True)
def always_patient(monkeypatch):
    """Each wait is a new attempt, and one attempt is one request."""
    monkeypatch.setattr(write_sender, "PATIENCE", 0.0)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture
def train(make_trainer, make_classifier, synthetic, caplog):
    """Function that trains three epochs with a fault in the second; returns the run and lines."""

    def run(fault):
        logger = RunLogger("away")
        trainer = make_trainer(max_epochs=3, logger=logger, callbacks=[Once(fault)])
        with caplog.at_level(logging.WARNING):
            trainer.fit(make_classifier(), synthetic)
        assert trainer.global_step == 9
        own = [r.getMessage() for r in caplog.records if r.name.startswith("lightning_app")]
        return logger.run_id, own

    return run


def epochs_of(client, run_id, name="val/accuracy"):
    return [point.step for point in client.get_metric_history(run_id, name)]


def test_files_of_a_run_on_a_server_are_listed_and_read(tracker):
    client = MlflowClient(tracker.uri)
    run_id = client.create_run(client.create_experiment("files")).info.run_id
    client.log_text(run_id, "deep", "a/b/c.txt")
    client.log_text(run_id, "top", "top.txt")
    run = client.get_run(run_id)
    with open_stored_run(client, run) as stored:
        assert stored.files == ["a/b/c.txt", "top.txt"]
        assert [stored.text(path) for path in (*stored.files, "none")] == ["deep", "top", ""]
    assert files_below(client, run, "a") == ["a/b"]
    assert files_below(client, run, "none") == []


def test_server_that_does_not_answer_holds_up_no_step_and_sync_sends_what_waits(
    tracker, train, capsys, short_waits
):
    def hold(of_fit):
        nonlocal logger
        logger = of_fit
        logger.close()
        tracker.held = True

    logger: Any = None

    run_id, lines = train(hold)  # no request was answered since the second epoch
    assert len(lines) <= 1  # the attempt may still be waiting
    waiting = [*Path("mlruns/spool").glob(f"*/{run_id}/*.json")]
    assert waiting
    logger.close()
    assert f"{len(waiting)} writes wait for MLflow in mlruns/spool" in capsys.readouterr().out
    tracker.release()
    main(["sync"])
    assert " are left" not in capsys.readouterr().out
    client = MlflowClient(tracker.uri)
    assert epochs_of(client, run_id) == [0, 1, 2]
    assert client.get_run(run_id).info.status == "FINISHED"
    assert not [*Path("mlruns/spool").glob(f"*/{run_id}/*.json")]


@pytest.mark.parametrize(
    "status", [403, 429, *(pytest.param(n, marks=pytest.mark.slow) for n in (401, 502))]
)
def test_server_that_refuses_for_now_is_one_line_and_its_writes_wait(
    tracker, train, capsys, status
):
    def refuse(logger):
        logger.close()
        tracker.status = status

    run_id, lines = train(refuse)
    assert len(lines) == 1
    assert lines[0].startswith("MLflow does not answer (")
    assert str(status) in lines[0]
    tracker.status = None
    main(["sync"])
    client = MlflowClient(tracker.uri)
    assert epochs_of(client, run_id) == [0, 1, 2]
    assert client.get_run(run_id).info.status == "FINISHED"


def test_server_that_is_stopped_is_one_line(tracker, train):
    def stop(logger):
        logger.close()
        tracker.stop()

    _, [line] = train(stop)
    assert line.startswith("MLflow does not answer (Connection refused). Training goes on; what it")


def test_deleted_run_is_one_line_and_sync_writes_the_rest_once_it_is_restored(
    workplace, client, train, capsys
):
    def delete(logger):
        logger.close()
        client.delete_run(logger.run_id)

    run_id, lines = train(delete)
    assert len(lines) == 1
    assert "MLflow refuses what is written (the run was deleted; restore it in the UI)." in lines[0]
    assert "`lightning_cli sync` tries them again" in lines[0]
    with pytest.raises(SystemExit):
        main(["sync"])  # it is still deleted
    client.restore_run(run_id)
    main(["sync"])
    assert epochs_of(client, run_id) == [0, 1, 2]
    assert client.get_run(run_id).info.status == "FINISHED"


def test_locked_store_is_one_line_and_holds_up_no_step(workplace, client, train, short_waits):
    locked, done = threading.Event(), threading.Event()

    def lock():
        with sqlite3.connect(workplace / "mlruns" / "mlflow.db") as store:
            store.execute("BEGIN EXCLUSIVE")
            locked.set()
            done.wait(60)
            store.rollback()

    def start(logger):
        logger.close()
        thread.start()
        locked.wait()

    thread = threading.Thread(target=lock)
    run_id, lines = train(start)  # the store was locked until here
    done.set()
    thread.join()
    assert len(lines) <= 1
    main(["sync"])
    assert epochs_of(client, run_id) == [0, 1, 2]


def test_writes_keep_their_order_through_an_outage(tracker, workplace):
    client = MlflowClient(tracker.uri)
    run_id = client.create_run(client.create_experiment("order")).info.run_id
    spooling = SpoolingClient(client, workplace / "spool")
    for number in range(12):
        tracker.status = 503 if 4 <= number < 8 else None
        spooling.set_tag(run_id, "number", str(number))
        spooling.log_batch(run_id, metrics=[Metric("m", float(number), number, number)])
        spooling.close()
    assert spooling.send_spooled() == 0
    assert client.get_run(run_id).data.tags["number"] == "11"
    assert epochs_of(client, run_id, "m") == [*range(12)]


def test_offline_run_reaches_the_server_with_sync_and_is_continued_there(
    tracker, configured, monkeypatch
):
    main([*configured(), "--trainer.logger.offline", "true"])
    server = MlflowClient(tracker.uri)
    assert server.get_experiment_by_name("faults") is None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)  # MLflow has put the local store there
    main(["sync"])
    main(["sync"])  # sends nothing twice
    [run] = server.search_runs([server.get_experiment_by_name("faults").experiment_id])
    run_id = run.info.run_id
    assert run.info.status == "FINISHED"
    assert epochs_of(server, run_id) == [0]
    assert "config/config.yaml" in [f.path for f in server.list_artifacts(run_id, "config")]
    main([*configured(max_epochs=2), "--ckpt_path", "last"])
    [run] = server.search_runs([run.info.experiment_id], run_view_type=ViewType.ALL)
    assert run.info.run_id == run_id
    assert epochs_of(server, run_id) == [0, 1]
