"""Which run `--ckpt_path last` resumes, and from which checkpoint."""

import os
import sqlite3
import time
from pathlib import Path

import pytest
import torch

from lightning_app.main import main
from lightning_app.store.checkpoint_io import AtomicCheckpointIO, predecessor
from lightning_app.store.checkpoints import find_checkpoint, readable_checkpoint
from lightning_app.store.last_checkpoint import last_to_resume
from lightning_app.store.run_file import new_run_file, trains_elsewhere, write_run_file
from lightning_app.store.runs import find_run


def start(name, status, checkpoint, parent=None, started=None):
    """A run of the experiment `e`, by its files; returns its `last.ckpt`."""
    folder = Path("mlruns/checkpoints/e", name)
    file = new_run_file(name, parent)
    write_run_file(folder, file._replace(status=status, started=started or time.time()))
    if checkpoint:
        AtomicCheckpointIO().save_checkpoint({"state_dict": {}}, folder / "last.ckpt")
    return folder / "last.ckpt"


def test_last_is_the_run_that_was_started_last_and_not_a_child_run(workplace):
    newest = start("newest", "FINISHED", True)
    older = start("older", "FINISHED", True, started=1.0)
    start("child", "FINISHED", True, parent="0" * 32)
    os.utime(older, (2e9, 2e9))  # such as copied since
    assert last_to_resume("e") == last_to_resume() == newest
    assert find_checkpoint("last") == newest


def test_run_that_was_killed_before_its_first_checkpoint_is_not_replaced_by_a_finished_one(
    workplace,
):
    finished = start("finished", "FINISHED", True, started=1.0)
    start("killed", "RUNNING", False)
    with pytest.raises(ValueError, match="newest run, killed, was stopped before") as error:
        last_to_resume("e")
    assert f"finished, is finished; to train it further, use --ckpt_path {finished}." in str(
        error.value
    )
    assert find_checkpoint("last", "e") == finished  # to evaluate, it is the right one


def test_run_that_is_not_finished_is_resumed_with_a_word_about_a_newer_one(workplace):
    stopped = start("stopped", "KILLED", True, started=1.0)
    start("killed", "RUNNING", False)
    with pytest.warns(UserWarning, match="killed, was stopped before .*; stopped is resumed"):
        assert last_to_resume("e") == stopped


def test_run_that_another_process_trains_is_not_resumed(folder, refused):
    [found] = folder.glob("mlruns/checkpoints/faults/*")
    file = new_run_file("small", None)
    write_run_file(found, file._replace(process=1, born=0.0))
    assert not trains_elsewhere(found)  # process 1 was born at another time
    write_run_file(found, file._replace(host="elsewhere"))
    assert trains_elsewhere(found)
    command = ["fit", "--config", "config.yaml", "--trainer.max_epochs=2", "--ckpt_path"]
    error = refused(*command, found / "last.ckpt")
    assert "The run small is being trained by process" in error
    os.utime(found / "run.json", (0, 0))  # its heartbeat has stopped
    assert not trains_elsewhere(found)


@pytest.fixture
def damaged(workplace):
    """`last.ckpt` of two epochs, cut off as by a full disk of an earlier copy."""
    file = Path("mlruns/checkpoints/e/r/last.ckpt")
    for epoch in (0, 1):
        AtomicCheckpointIO().save_checkpoint({"state_dict": {}, "epoch": epoch}, file)
    os.truncate(file, file.stat().st_size // 2)
    return file


def test_truncated_checkpoint_is_replaced_by_the_one_before(damaged):
    with pytest.warns(UserWarning, match=r"last\.ckpt is damaged .* one before it is used, .*prev"):
        file, content = readable_checkpoint(damaged)
    assert (file, content["epoch"]) == (predecessor(damaged), 0)


def test_best_checkpoint_is_named_if_both_are_damaged(damaged):
    predecessor(damaged).write_bytes(b"")
    torch.save({"state_dict": {}}, damaged.with_name("best.ckpt"))
    with pytest.raises(ValueError, match=r"last\.ckpt is damaged .* There is also .*best\.ckpt\."):
        readable_checkpoint(damaged)


def test_fit_resumes_from_the_checkpoint_before_a_truncated_one(folder, capsys):
    resume = ["fit", "--config", "config.yaml", "--trainer.logger.experiment_name=cut"]
    main([*resume, "--trainer.logger.run_name=cut"])
    resume += ["--ckpt_path", "last", "--trainer.max_epochs"]
    main([*resume, "2"])
    [last] = folder.glob("mlruns/checkpoints/cut/*/last.ckpt")
    os.truncate(last, 1000)
    with pytest.warns(UserWarning, match="The one before it is used"):
        main([*resume, "3"])
    assert readable_checkpoint(last)[1]["epoch"] == 2


def test_unfinished_file_of_a_killed_process_is_removed(workplace):
    file = Path("c/last.ckpt")
    file.parent.mkdir()
    (file.parent / ".last.ckpt.4711.tmp").write_text("half")
    AtomicCheckpointIO().save_checkpoint({"state_dict": {}}, file)
    assert [found.name for found in file.parent.iterdir()] == ["last.ckpt"]


def test_newest_run_is_found_behind_more_than_a_thousand_child_runs(workplace, client):
    number = client.create_experiment("search")
    own = client.create_run(number).info.run_id
    child = client.create_run(number, tags={"mlflow.parentRunId": own}).info.run_id
    with sqlite3.connect(workplace / "mlruns" / "mlflow.db") as store:
        copies = [(f"{index:032x}",) for index in range(1200)]
        columns = [row[1] for row in store.execute("PRAGMA table_info(runs)")]
        kept = ", ".join(column for column in columns if column != "run_uuid")
        store.executemany(
            f"INSERT INTO runs (run_uuid, {kept}) SELECT ?, {kept} FROM runs "
            f"WHERE run_uuid = '{child}'",
            copies,
        )
        store.executemany("INSERT INTO tags VALUES ('mlflow.parentRunId', 'x', ?)", copies)
    assert find_run(client, "last").info.run_id == own
