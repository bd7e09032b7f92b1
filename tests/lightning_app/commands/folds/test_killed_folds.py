"""A cross-validation that is killed ends with the results of one that is not."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient

from lightning_app.main import main

COMMAND = ["folds", "--config", "config.yaml", "--folds", "2", "--trainer.callbacks+=wait.Wait"]
WAIT = """
import time
from pathlib import Path

from lightning.pytorch import Callback


class Wait(Callback):
    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.datamodule.split.fold == 1 and trainer.current_epoch == 1:
            while Path("wait").exists():
                Path("waiting").touch()
                time.sleep(0.1)
"""
LIMIT = 600  # seconds, which only end a test that hangs


def client_of(folder):
    return MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")


def times(folder, run):
    """When each checkpoint of a run was written."""
    files = (folder / "mlruns" / "checkpoints" / "parts" / run.info.run_id).iterdir()
    return {file.name: file.stat().st_mtime_ns for file in files}


def results(folder):
    """The tables of the parent run and its test accuracy; the runs of the folds by name."""
    client = client_of(folder)
    [parent] = client.search_runs(["1"], "tags.folds != ''")
    runs = {run.info.run_name: run for run in client.search_runs(["1"])}
    assert len(runs) == 3
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    names = ("predictions/out_of_fold.csv", "predictions/test.csv", "folds.md")
    texts = [Path(client.download_artifacts(parent.info.run_id, n)).read_text() for n in names]
    metrics = {n: value for n, value in parent.data.metrics.items() if "/" in n}
    return texts, metrics, runs


def kill_while_waiting():
    """Start the command, and kill all of its processes within the second fold."""
    Path("wait").touch()
    process = subprocess.Popen([sys.executable, "-m", "lightning_app", *COMMAND])
    deadline = time.monotonic() + LIMIT
    while not Path("waiting").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for each in (*psutil.Process(process.pid).children(recursive=True), process):
        each.send_signal(signal.SIGKILL)
    process.wait()
    Path("wait").unlink()


@pytest.mark.slow
def test_killed_folds_have_the_results_of_folds_that_were_not(
    in_new_folder, config, in_this_process, monkeypatch
):
    """About two minutes: the killed start runs five processes."""
    with in_new_folder("whole", config) as whole:
        (whole / "wait.py").write_text(WAIT)
        monkeypatch.syspath_prepend(str(whole))
        main(COMMAND)
    in_this_process.clear()
    with in_new_folder("killed", config) as killed:
        (killed / "wait.py").write_text(WAIT)
        kill_while_waiting()
        [first] = client_of(killed).search_runs(["1"], "attributes.status = 'FINISHED'")
        before = times(killed, first)
        ids = {file.parent.name for file in killed.glob("mlruns/checkpoints/parts/*/last.ckpt")}
        main(COMMAND)
    scored = [(command, "fold 2, seed 0") for command in ("fit", "validate", "test")]
    assert in_this_process == [*scored, ("test", "ensemble, seed 0")]
    assert times(killed, first) == before
    texts, metrics, runs = results(killed)
    assert {runs[name].info.run_id for name in ("fold 1, seed 0", "fold 2, seed 0")} == ids
    expected_texts, expected_metrics, _ = results(whole)
    assert texts == expected_texts
    assert metrics == expected_metrics
