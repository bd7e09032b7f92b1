"""Loader processes: training processes on one machine share its cores."""

import os
from types import SimpleNamespace

import pytest

from datamodules.loaders import default_workers, workers_for


@pytest.mark.parametrize(
    ("cores", "processes", "expected"),
    [(2, 1, 2), (64, 1, 16), (16, 8, 2), (4, 8, 1), (128, 8, 16)],
)
def test_processes_share_the_cores(cores, processes, expected):
    assert workers_for(cores, processes) == expected


@pytest.fixture
def twelve_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(12), raising=False)
    for name in ("LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE"):
        monkeypatch.delenv(name, raising=False)


def test_trainer_tells_how_many_processes_share_a_machine(twelve_cores):
    assert default_workers() == 12
    assert default_workers(SimpleNamespace(world_size=8, num_nodes=2)) == 3


@pytest.mark.parametrize("name", ["LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE"])
def test_launcher_tells_how_many_processes_share_a_machine(twelve_cores, monkeypatch, name):
    monkeypatch.setenv(name, "6")
    assert default_workers() == 2
