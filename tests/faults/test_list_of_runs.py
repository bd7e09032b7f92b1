"""`lightning_cli runs`: the state of each run, and closing those that died."""

import json
from pathlib import Path

import pytest

from lightning_app.main import main
from lightning_app.store.run_file import FILE


@pytest.fixture
def dead(configured, fork, client):
    """A run whose process was killed in its second epoch."""
    [code], _ = fork(configured(("Signal", {"step": 4}), max_epochs=3))
    assert code == -9
    [run] = client.search_runs([client.get_experiment_by_name("faults").experiment_id])
    assert run.info.status == "RUNNING"
    return run


def test_run_that_died_is_shown_with_how_to_resume_it_and_can_be_closed(dead, client, capsys):
    run_id = dead.info.run_id
    folder = Path("mlruns/checkpoints/faults", run_id)
    (folder / ".last.ckpt.4711.tmp").write_text("half")
    main(["runs"])
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if line.startswith(f"small ({run_id[:6]})"))
    assert row.split()[2:5] == ["faults", "died", "0"]
    assert "val/accuracy 0." in row
    resume = f"lightning_cli fit --config config.yaml --ckpt_path {run_id}"
    assert f"Resume small ({run_id[:6]}): {resume}" in out
    main(["runs", "--close"])
    assert f"Closed      small ({run_id[:6]})" in capsys.readouterr().out
    assert client.get_run(run_id).info.status == "KILLED"
    assert json.loads((folder / FILE).read_text())["status"] == "KILLED"
    assert not [*folder.glob(".*.tmp")]
    main(["runs", "--close"])
    assert capsys.readouterr().out == "No run has died.\n"


def test_states_of_finished_failed_and_running_runs_are_words(client, capsys):
    number = client.create_experiment("hand")
    for status in ("FINISHED", "FAILED", "KILLED"):
        run_id = client.create_run(number, run_name=status.lower()).info.run_id
        client.set_tag(run_id, "failure", "ValueError: too few images")
        client.set_terminated(run_id, status)
    elsewhere = client.create_run(number, run_name="elsewhere").info.run_id
    main(["runs"])
    out = capsys.readouterr().out
    for words in ("finished", "failed: ValueError: too few images", "stopped", "running?"):
        assert words in " ".join(out.split())
    main(["runs", "--close", "elsewhere"])
    assert client.get_run(elsewhere).info.status == "KILLED"
