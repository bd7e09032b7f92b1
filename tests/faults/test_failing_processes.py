"""An error in one of several processes ends all of them, with its reason and without a hang."""

import signal

import pytest
from mlflow import MlflowClient

from callbacks import process_watch
from lightning_app.main import main


def run_of(client: MlflowClient):
    experiment = client.get_experiment_by_name("faults")
    [run] = client.search_runs([experiment.experiment_id])
    return run


@pytest.mark.parametrize("rank", [0, 1])
def test_error_in_one_of_two_processes_ends_both_with_its_reason(configured, fork, client, rank):
    codes, output = fork(configured(("Raise", {"rank": rank}), max_epochs=3), 2)
    assert all(codes)
    assert "RuntimeError: boom in process" in output[rank]
    other = output[1 - rank]
    assert "Traceback" not in other
    if rank == 1:
        assert "error: Process 1 failed with RuntimeError: boom in process 1.\n" in other
    run = run_of(client)
    assert run.info.status == "FAILED"
    assert f"RuntimeError: boom in process {rank}" in run.data.tags["failure"]


def test_killed_process_ends_the_other_and_the_run_is_failed(configured, fork, client, monkeypatch):
    monkeypatch.setattr(process_watch, "REASON_SECONDS", 0.5)
    codes, output = fork(configured(("Signal", {"rank": 1}), max_epochs=3), 2)
    assert codes[0] == 1
    assert "Traceback" not in output[0]
    assert len(output[0].splitlines()) < 25
    assert "error: Another process has ended without a reason; it may have been" in output[0]
    run = run_of(client)
    assert run.info.status == "FAILED"
    assert run.data.tags["failure"].startswith("Another process has ended without a reason")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["Raise", "Signal"])
def test_failure_of_the_last_of_three_processes_ends_all(configured, fork, client, fault):
    codes, output = fork(configured((fault, {"rank": 2, "step": 1}), max_epochs=9), 3)
    assert all(codes)
    assert run_of(client).info.status == "FAILED"
    assert "Traceback" not in output[0] + output[1]


@pytest.mark.slow
def test_killed_first_process_ends_the_others_and_the_run_is_shown_as_died(
    configured, fork, client, capsys
):
    codes, output = fork(configured(("Signal", {}), max_epochs=9), 3)
    assert codes == [-signal.SIGKILL, 1, 1]
    assert "error: Process 0 has ended without a reason" in output[1]
    assert run_of(client).info.status == "RUNNING"
    main(["runs"])
    assert "died" in capsys.readouterr().out
