"""A tracker that goes away and comes back: its database, moved away and back."""

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from lightning_app.store.spooling_client import PatientClient


class Tracker:
    """Stands between the client and a real store, and can be switched off."""

    def __init__(self, client):
        self.client, self.away, self.calls = client, False, 0

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls += 1
            if self.away:
                raise ConnectionError("no route to host")
            return getattr(self.client, name)(*args, **kwargs)

        return call


@pytest.fixture
def run_id(client):
    return client.create_run(client.create_experiment("away")).info.run_id


@pytest.fixture
def tracker(client):
    return Tracker(client)


def log(patient, run_id, step):
    patient.log_batch(run_id, metrics=[Metric("val/loss", step / 2, 0, step)])


def steps(client: MlflowClient, run_id):
    return [metric.step for metric in client.get_metric_history(run_id, "val/loss")]


def test_nothing_is_lost_while_the_tracker_is_away(client, tracker, run_id, tmp_path):
    patient = PatientClient(tracker, tmp_path / "spool")
    log(patient, run_id, 0)
    tracker.away = True
    log(patient, run_id, 1)
    patient.log_text(run_id, "kept", "note.txt")
    tracker.away = False
    assert patient.send_waiting() == 0
    log(patient, run_id, 2)
    assert steps(client, run_id) == [0, 1, 2]
    assert [file.path for file in client.list_artifacts(run_id)] == ["note.txt"]


def test_a_tracker_that_is_away_is_not_asked_at_every_step(tracker, run_id, tmp_path):
    patient = PatientClient(tracker, tmp_path / "spool")
    tracker.away = True
    for step in range(50):
        log(patient, run_id, step)
    assert tracker.calls == 1
    assert patient.send_waiting() == 50


def test_next_process_sends_what_the_last_one_left(client, tracker, run_id, tmp_path):
    tracker.away = True
    log(PatientClient(tracker, tmp_path / "spool"), run_id, 7)
    assert PatientClient(client, tmp_path / "spool").send_waiting() == 0
    assert steps(client, run_id) == [7]


def test_what_the_tracker_refuses_is_set_aside_and_stops_nothing(client, tracker, run_id, tmp_path):
    patient = PatientClient(tracker, tmp_path / "spool")
    tracker.away = True
    log(patient, "0" * 32, 0)  # a run that this tracker will not know
    log(patient, run_id, 1)
    tracker.away = False
    assert patient.send_waiting() == 0
    assert steps(client, run_id) == [1]
    assert len(list((tmp_path / "spool").glob("*.refused"))) == 1


def test_reading_is_passed_on(client, run_id, tmp_path):
    assert PatientClient(client, tmp_path / "spool").get_run(run_id).info.run_id == run_id
