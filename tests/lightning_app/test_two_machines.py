"""Two machines without a shared folder: two processes (gloo), each in a folder of its own."""

import contextlib
import multiprocessing
import os
import shutil
import sys
from pathlib import Path

import pytest
from lightning.fabric.plugins.environments.lightning import find_free_network_port
from lightning.pytorch.utilities import rank_zero_only

from lightning_app.cli.ranks import started_ranks
from lightning_app.main import main
from lightning_app.store.checkpoints import read_checkpoint
from lightning_app.store.uploaded_checkpoint import digest_of

CONFIG = {
    "data": {"class_path": "SyntheticDataModule", "init_args": {"num_images": 40, "batch_size": 8}},
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {"backbone": {"class_path": "SmallCNN", "init_args": {"width": 2}}},
    },
    "trainer": {"max_epochs": 1, "accelerator": "cpu", "enable_progress_bar": False},
    "pictures": {"budget": 0},
    "report": False,
}
TWO = ["--trainer.devices", "1", "--trainer.num_nodes", "2", "--trainer.strategy", "ddp"]


def run_rank(rank, port, folder, command):
    """Run a command as the only process of one of two machines, as `torchrun` starts it."""
    settings = {
        **{"RANK": rank, "LOCAL_RANK": 0, "GROUP_RANK": rank, "WORLD_SIZE": 2},
        **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"},
    }
    os.environ.update({name: str(value) for name, value in settings.items()})
    rank_zero_only.rank = rank  # pyright: ignore[reportFunctionMemberAccess]
    started_ranks.cache_clear()
    os.chdir(folder)
    with Path("output.txt").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            sys.stdout.reconfigure(line_buffering=True)
            main(command)


@pytest.fixture(scope="module")
def machines(in_new_folder):
    """Two folders, of which the first has a trained run, and a function for commands on both."""
    fork = multiprocessing.get_context("fork")
    with in_new_folder("machines", CONFIG) as whole:
        main(["fit", "--config", "config.yaml"])
        folders = [whole, whole / "other"]
        (whole / "other").mkdir()
        shutil.copy("config.yaml", "other")

        def run(command, *options):
            port = find_free_network_port()
            command = [command, "--config", "config.yaml", *options, *TWO]
            processes = [
                fork.Process(target=run_rank, args=(rank, port, folder, command))
                for rank, folder in enumerate(folders)
            ]
            for process in processes:
                process.start()
            for process in processes:
                process.join(60)
            outputs = [(folder / "output.txt").read_text() for folder in folders]
            return [process.exitcode for process in processes], outputs

        yield folders, run


def test_checkpoint_that_is_not_there_is_refused_by_both_ranks(machines):
    _, run = machines
    codes, outputs = run("fit", "--ckpt_path", "absent-1a2b")
    assert codes == [1, 1]
    assert "There is no run 'absent-1a2b'" in outputs[0]
    assert "Rank 0 cannot go on: There is no run 'absent-1a2b'" in outputs[1]


def test_checkpoint_that_cannot_be_received_is_refused_by_both_ranks(machines):
    (_, other), run = machines
    (other / "mlruns").mkdir(exist_ok=True)
    (other / "mlruns" / "received").touch()
    codes, outputs = run("fit", "--ckpt_path", "last")
    (other / "mlruns" / "received").unlink()
    assert codes == [1, 1]
    for output in outputs:
        assert "Rank 1 lacks the checkpoint" in output
        assert "Copy the file to the same path on its machine." in output


def test_fit_resumes_where_only_the_first_machine_has_the_checkpoint(machines):
    (first, other), run = machines
    [file] = first.glob("mlruns/checkpoints/*/*/last.ckpt")
    before, started = digest_of(file), read_checkpoint(file)["global_step"]
    codes, outputs = run("fit", "--ckpt_path", "last", "--trainer.max_epochs", "2")
    assert codes == [0, 0], outputs
    [copy] = other.glob("mlruns/received/*/last.ckpt")
    assert digest_of(copy) == before
    assert copy.parent.name == file.parent.name
    resumed = read_checkpoint(file)
    assert resumed["epoch"] == 1
    assert 0 < resumed["global_step"] - started < started  # each rank saw its half of the images
