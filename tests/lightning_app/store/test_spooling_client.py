"""Spooling MLflow client: nothing is lost while the server is unreachable."""

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from lightning_app.store import write_sender
from lightning_app.store.spooling_client import SpoolingClient


class Server:
    """Forwards calls to a real store, and can be made unreachable."""

    def __init__(self, client):
        self.client, self.unreachable, self.calls = client, False, 0

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls += 1
            if self.unreachable:
                raise ConnectionError("no route to host")
            return getattr(self.client, name)(*args, **kwargs)

        return call


@pytest.fixture
def run_id(client):
    return client.create_run(client.create_experiment("away")).info.run_id


@pytest.fixture
def server(client):
    return Server(client)


def log(spooling, run_id, step):
    spooling.log_batch(run_id, metrics=[Metric("val/loss", step / 2, 0, step)])


def steps(client: MlflowClient, run_id):
    return [metric.step for metric in client.get_metric_history(run_id, "val/loss")]


def test_writes_are_sent_in_order_once_the_server_is_back(client, server, run_id, tmp_path):
    spooling = SpoolingClient(server, tmp_path / "spool")
    log(spooling, run_id, 0)
    server.unreachable = True
    log(spooling, run_id, 1)
    spooling.log_text(run_id, "kept", "note.txt")
    server.unreachable = False
    assert spooling.send_spooled() == 0
    log(spooling, run_id, 2)
    assert spooling.close() == 0
    assert steps(client, run_id) == [0, 1, 2]
    assert [file.path for file in client.list_artifacts(run_id)] == ["note.txt"]


def test_unreachable_server_is_not_called_at_every_step(server, run_id, tmp_path, monkeypatch):
    monkeypatch.setattr(write_sender, "FIRST_DELAY", 1000.0)
    spooling = SpoolingClient(server, tmp_path / "spool")
    server.unreachable = True
    for step in range(50):
        log(spooling, run_id, step)
    assert spooling.close() == 50
    assert server.calls <= 2


def test_next_process_sends_the_spooled_writes_of_the_last_one(client, server, run_id, tmp_path):
    server.unreachable = True
    log(SpoolingClient(server, tmp_path / "spool"), run_id, 7)
    assert SpoolingClient(client, tmp_path / "spool").send_spooled() == 0
    assert steps(client, run_id) == [7]


def test_rejected_write_is_set_aside_and_does_not_stop_the_others(client, server, run_id, tmp_path):
    spooling = SpoolingClient(server, tmp_path / "spool")
    server.unreachable = True
    log(spooling, "0" * 32, 0)  # a run that the server does not know
    log(spooling, run_id, 1)
    server.unreachable = False
    assert spooling.send_spooled() == 0
    assert steps(client, run_id) == [1]
    assert len(list((tmp_path / "spool").glob("*.refused"))) == 1


def test_reads_are_forwarded(client, run_id, tmp_path):
    assert SpoolingClient(client, tmp_path / "spool").get_run(run_id).info.run_id == run_id


def description(client, run_id):
    return client.get_run(run_id).data.tags.get("mlflow.note.content", "")


def test_notice_stands_above_the_description_of_the_user(client, server, run_id, tmp_path):
    spooling = SpoolingClient(server, tmp_path / "spool")
    spooling.set_tag(run_id, "mlflow.note.content", "My best run.")
    spooling.set_notice(run_id, "honesty", "Do not trust the maps of vanilla.")
    spooling.set_notice(run_id, "other", "Look out.")
    assert spooling.send_spooled() == 0
    expected = "Look out.\n\nDo not trust the maps of vanilla.\n\nMy best run."
    assert description(client, run_id) == expected
    spooling.set_notice(run_id, "honesty", "")  # a resumed fit whose maps pass
    spooling.set_notice(run_id, "other", "Look here.")
    assert spooling.close() == 0
    assert description(client, run_id) == "Look here.\n\nMy best run."


def test_run_without_notice_gets_no_description(client, server, run_id, tmp_path):
    spooling = SpoolingClient(server, tmp_path / "spool")
    spooling.set_notice(run_id, "honesty", "")
    assert spooling.close() == 0
    assert "mlflow.note.content" not in client.get_run(run_id).data.tags
