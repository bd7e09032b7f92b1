"""Signals and Ctrl-C end a fit that can be resumed, with the exit status of a shell."""

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from lightning.pytorch.callbacks import LambdaCallback
from lightning.pytorch.utilities.exceptions import SIGTERMException

from callbacks import OutputRecorder, PictureGallery, StopSignals
from callbacks.pictures import Picture
from lightning_app.main import main
from lightning_app.store.run_file import FILE


def stopped(command):
    with pytest.raises(SystemExit) as end:
        main(command)
    return end.value.code


def runs_of(client):
    return client.search_runs([client.get_experiment_by_name("faults").experiment_id])


@pytest.fixture
def default_hang_up():
    """A hang-up ends the process; tests that `nohup` starts would ignore it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    "name",
    [
        "SIGHUP",
        "SIGINT",
        pytest.param("SIGTERM", marks=pytest.mark.slow),
        pytest.param("SIGUSR1", marks=pytest.mark.slow),
    ],
)
def test_signal_ends_a_fit_with_a_checkpoint_and_the_status_of_a_shell(
    configured, client, name, default_hang_up, capsys
):
    command = configured(("Signal", {"name": name, "step": 1}), max_epochs=3)
    assert stopped(command) == 128 + getattr(signal, name)
    assert "Resume with --ckpt_path last." in capsys.readouterr().err
    [run] = runs_of(client)
    assert run.info.status == "KILLED"
    [last] = Path("mlruns/checkpoints/faults", run.info.run_id).glob("last.ckpt")
    main([*configured(max_epochs=1), "--ckpt_path", str(last)])
    [resumed] = runs_of(client)
    assert resumed.info.status == "FINISHED"
    assert json.loads(last.with_name(FILE).read_text())["status"] == "FINISHED"


def test_second_interrupt_ends_the_process_at_once(configured, fork):
    codes, output = fork(configured(("Signal", {"name": "SIGINT"}), ("SecondInterrupt", {})))
    assert codes == [130]
    assert "Stopped at once." in output[0]
    assert not Path("still-running").exists()


@pytest.fixture
def slurm(workplace, monkeypatch):
    """Environment of a SLURM job, with a `scontrol` that records how it was called."""
    (workplace / "bin").mkdir()
    scontrol = workplace / "bin" / "scontrol"
    scontrol.write_text(f'#!/bin/sh\necho "$@" > {workplace}/requeued\n')
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", f"{workplace}/bin{os.pathsep}{os.environ['PATH']}")
    settings = {"JOB_ID": 4242, "NTASKS": 1, "PROCID": 0, "LOCALID": 0, "NODEID": 0}
    for key, value in {**settings, "JOB_NAME": "fit"}.items():
        monkeypatch.setenv(f"SLURM_{key}", str(value))


def test_slurm_job_that_is_queued_again_continues_its_run(configured, client, slurm, monkeypatch):
    monkeypatch.delenv("SLURM_RESTART_COUNT", raising=False)
    assert stopped(configured(("Signal", {"name": "SIGUSR1"}), max_epochs=2)) == 138
    assert Path("requeued").read_text() == "requeue 4242\n"
    assert not [*Path("mlruns").glob("hpc_ckpt*")]
    main(configured(max_epochs=1))  # another run meanwhile, which is the newest
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    # Lightning asks for the number of the job only; the other run had this job's number, too.
    other, first = sorted(runs_of(client), key=lambda run: -run.info.start_time)
    Path("mlruns/jobs/4242").write_text(
        str(Path("mlruns/checkpoints/faults", first.info.run_id).resolve())
    )
    main(configured(max_epochs=2))
    assert {run.info.run_id for run in runs_of(client)} == {other.info.run_id, first.info.run_id}
    [epochs] = [client.get_metric_history(first.info.run_id, "val/accuracy")]
    assert [point.step for point in epochs] == [0, 1]


@dataclass(eq=False)
class Slow(Picture):
    """Two figures; SIGTERM comes with the first one."""

    name: ClassVar[str] = "slow"
    drawn: ClassVar[list[str]] = []

    def draw(self, context):
        os.kill(os.getpid(), signal.SIGTERM)
        for name in ("first", "second"):
            Slow.drawn.append(name)
            yield name, 0.5


def test_request_to_stop_is_obeyed_after_the_picture_at_work(
    make_trainer, make_classifier, synthetic
):
    Slow.drawn.clear()
    recorder = OutputRecorder()
    gallery = PictureGallery([Slow(when="last")], recorder)
    trainer = make_trainer(max_epochs=1, callbacks=[StopSignals(), recorder, gallery])
    with pytest.raises(SIGTERMException):
        trainer.fit(make_classifier(), synthetic)
    assert Slow.drawn == ["first"]


def test_signal_that_nohup_ignores_stays_ignored(make_trainer, make_classifier, synthetic):
    def hang_up(*arguments):
        os.kill(os.getpid(), signal.SIGHUP)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = StopSignals()
        callbacks = [stop, LambdaCallback(on_train_batch_start=hang_up)]
        make_trainer(max_epochs=1, callbacks=callbacks).fit(make_classifier(), synthetic)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert stop.received is None
