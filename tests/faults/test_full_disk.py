"""A full disk ends a fit with one error; the checkpoint before is intact, the run is failed."""

import re
import subprocess
from pathlib import Path

import pytest
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from lightning_app.store.checkpoints import read_checkpoint


def run_of(client):
    [run] = client.search_runs([client.get_experiment_by_name("faults").experiment_id])
    return run


def test_full_disk_is_one_error_that_names_it_and_the_earlier_checkpoint_is_intact(
    configured, fork, client
):
    command = [*configured(("FullDisk", {}), max_epochs=3), "--model.backbone.width=64"]
    codes, [output] = fork(command)
    assert codes == [1]
    assert "Traceback" not in output
    assert "error: The disk of " in output
    assert "last.ckpt could not be written" in output or "best.ckpt could not be" in output
    assert "MiB are free). What was there before is intact." in output
    run = run_of(client)
    assert run.info.status == "FAILED"
    assert run.data.tags["failure"].startswith("DiskFullError: The disk of ")
    folder = Path("mlruns/checkpoints/faults", run.info.run_id)
    assert read_checkpoint(folder / "last.ckpt")["epoch"] == 0
    assert not [*folder.glob(".*.tmp")]


@pytest.fixture
def small_disk(workplace):
    """A file system of 100 KiB for the checkpoints; only root can make one."""
    place = workplace / "mlruns" / "checkpoints"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_small_file_system_that_fills_up_is_named(configured, fork, client, small_disk):
    command = [*configured(max_epochs=2), "--model.backbone.width=32"]
    codes, [output] = fork(command)
    assert codes == [1]
    assert "Traceback" not in output
    assert f"error: The disk of {small_disk.resolve()}" in output
    assert run_of(client).info.status == "FAILED"


def test_killed_loader_process_is_one_error_of_two_lines(configured, refused, monkeypatch):
    # The time until torch looks whether its processes are there, which is five seconds.
    monkeypatch.setattr(_MultiProcessingDataLoaderIter._try_get_data, "__defaults__", (0.5,))
    command = [*configured(("KillWorker", {})), "--data.num_workers=1"]
    error = refused(*command).splitlines()[-2:]
    # Which of the two is known depends on whether the signal or the silence is noticed first.
    ended = r"error: A process that loads images (was killed \(Killed\)|has ended), perhaps"
    assert re.match(ended, error[0])
    assert error[0].endswith("with --data.num_workers, then resume with --ckpt_path last.")
