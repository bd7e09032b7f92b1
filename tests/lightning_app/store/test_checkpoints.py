"""Checkpoints: written atomically, loaded without running code, found by file or by run."""

import os

import pytest
import torch

from lightning_app.store.checkpoint_io import AtomicCheckpointIO
from lightning_app.store.checkpoints import find_checkpoint, read_checkpoint


@pytest.fixture
def io():
    return AtomicCheckpointIO()


def test_saved_checkpoint_is_loaded(io, tmp_path):
    io.save_checkpoint({"weights": torch.arange(3)}, tmp_path / "new" / "last.ckpt")
    assert io.load_checkpoint(tmp_path / "new" / "last.ckpt")["weights"].tolist() == [0, 1, 2]


def test_failed_write_leaves_the_old_checkpoint_and_nothing_else(io, tmp_path):
    io.save_checkpoint({"epoch": 1}, tmp_path / "last.ckpt")
    with pytest.raises((AttributeError, TypeError), match="pickle"):
        io.save_checkpoint({"epoch": 2, "bad": lambda: None}, tmp_path / "last.ckpt")
    assert io.load_checkpoint(tmp_path / "last.ckpt") == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_code_in_a_checkpoint_is_not_run(io, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, ("touch /tmp/ran",)

    torch.save({"weights": Evil()}, tmp_path / "evil.ckpt")
    with pytest.raises(Exception, match=r"more than tensors and plain values, namely \S+\.system"):
        io.load_checkpoint(tmp_path / "evil.ckpt")


def test_folder_and_missing_file_are_errors(io, tmp_path):
    with pytest.raises(ValueError, match="is a folder; name the file of a checkpoint in it"):
        find_checkpoint(tmp_path, "digits")
    with pytest.raises(ValueError, match=r"There is no checkpoint .*gone\.ckpt"):
        io.load_checkpoint(tmp_path / "gone.ckpt")


def test_best_is_the_one_of_the_newest_run_of_the_experiment(io, tmp_path):
    for number, run in enumerate(("b", "a")):
        file = tmp_path / "checkpoints" / "digits" / run / "best.ckpt"
        io.save_checkpoint({"state_dict": {}, "mlflow_run_id": run}, file)
        os.utime(file, (number, number))
    found = find_checkpoint("best", "digits", root=tmp_path)
    assert read_checkpoint(found)["mlflow_run_id"] == "a"


def test_checkpoint_is_found_by_its_file(io, tmp_path):
    io.save_checkpoint({"state_dict": {}}, tmp_path / "x.ckpt")
    assert find_checkpoint(str(tmp_path / "x.ckpt"), "digits") == tmp_path / "x.ckpt"


def test_file_that_is_not_a_checkpoint_is_an_error(io, tmp_path):
    (tmp_path / "notes.ckpt").write_text("not a checkpoint")
    with pytest.raises(ValueError, match=r"notes\.ckpt is damaged or not a checkpoint\.$"):
        read_checkpoint(tmp_path / "notes.ckpt")


def test_weights_alone_are_not_a_checkpoint(io, tmp_path):
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "w.ckpt")
    with pytest.raises(ValueError, match=r"not a checkpoint of a fit: it has no `state_dict`"):
        read_checkpoint(tmp_path / "w.ckpt")


def test_keyword_without_any_checkpoint_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"No run of the experiment 'digits' has a .*last\.ckpt"):
        find_checkpoint("last", "digits", root=tmp_path)


def test_without_an_experiment_the_newest_of_all_is_found(io, tmp_path):
    for number, experiment in enumerate(("[a]", "b")):
        file = tmp_path / "checkpoints" / experiment / "run" / "last.ckpt"
        io.save_checkpoint({"state_dict": {}}, file)
        os.utime(file, (number, number))
    assert find_checkpoint("last", root=tmp_path).parts[-3] == "b"
    assert find_checkpoint("last", "[a]", root=tmp_path).parts[-3] == "[a]"


def test_unknown_file_is_an_error():
    with pytest.raises(ValueError, match=r"no checkpoint gone\.ckpt; expected a file, the id or"):
        find_checkpoint("gone.ckpt", "digits")
