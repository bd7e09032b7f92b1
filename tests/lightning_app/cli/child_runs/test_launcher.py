"""Launcher of child runs; jobs run with submitit's executor for machines without SLURM."""

import argparse
import os

import pytest

from lightning_app.cli.child_runs import launcher
from lightning_app.cli.child_runs.launcher import (
    Launcher,
    add_launcher_options,
    launcher_of,
    run_job,
)


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    add_launcher_options(parser)
    return launcher_of(parser.parse_args(arguments))


def test_options_become_the_parameters_of_a_job():
    assert parsed() is None
    asked = ("--launcher.partition", "gpu", "--launcher.time", "90", "--launcher.gpus", "1")
    assert parsed("--launcher", "submitit", *asked) == Launcher("gpu", 90, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--jobs", "0"), "Expected --jobs of 1 or more, got 0"),
        (("--launcher.gpus", "1"), "--launcher.gpus needs --launcher submitit"),
        (("--launcher", "submitit", "--launcher.time", "0"), "--launcher.time of 1 or more, got 0"),
    ],
)
def test_options_without_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        parsed(*arguments)


def test_missing_submitit_is_explained(monkeypatch):
    monkeypatch.setattr(launcher, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"install `lightning-image-classification\[submitit\]`"):
        parsed("--launcher", "submitit")


class Failure(Exception):
    pass


def fails():
    raise Failure("no such GPU")


def test_job_runs_in_another_process_and_says_why_it_failed(tmp_path):
    own = os.getpid()

    def work():
        return None if os.getpid() == own else "it was nan."

    launcher = Launcher(cpus=1, time=1)
    assert run_job(launcher, work, tmp_path, "base, seed 0", lambda: False) == "it was nan."
    assert list(tmp_path.glob("*_submitted.pkl"))


def test_error_of_a_job_is_its_failure(tmp_path):
    failure = run_job(Launcher(), fails, tmp_path, "x", lambda: False)
    assert "ended with an error" in failure
    assert "no such GPU" in failure


def test_stopped_job_is_cancelled(tmp_path):
    failure = run_job(Launcher(), lambda: input(), tmp_path, "x", lambda: True)
    assert failure.endswith("was cancelled.")
