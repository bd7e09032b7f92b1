"""Two machines without a shared folder: two processes (gloo), each in a folder of its own."""

import multiprocessing
import os
import shutil
import sys
from pathlib import Path

import pytest
from lightning.fabric.plugins.environments.lightning import find_free_network_port
from lightning.pytorch.utilities import rank_zero_only
from mlflow import MlflowClient

from lightning_app.cli.ranks import agreed, started_ranks
from lightning_app.cli.sent_checkpoint import PART, checkpoint_on_all_ranks
from lightning_app.main import main
from lightning_app.store import node_metrics
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


def as_rank(rank, port, folder, work):
    """Do some work as the only process of one of two machines, as `torchrun` starts it."""
    settings = {
        **{"RANK": rank, "LOCAL_RANK": 0, "GROUP_RANK": rank, "WORLD_SIZE": 2},
        **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"},
    }
    os.environ.update({name: str(value) for name, value in settings.items()})
    rank_zero_only.rank = rank  # pyright: ignore[reportFunctionMemberAccess]
    started_ranks.cache_clear()
    os.chdir(folder)
    try:
        result = str(work())
    except (ValueError, SystemExit) as error:
        result = f"{type(error).__name__}: {error}"
    Path("result.txt").write_text(result)
    if rank == 1:
        started_ranks().put("end", b"")
    elif "Error" not in result and "Exit" not in result:
        started_ranks().get("end")  # the store ends with the first process, which would train on


def on_two_machines(folders, work):
    """Do some work on two machines; return what each has returned or raised."""
    fork, port = multiprocessing.get_context("fork"), find_free_network_port()
    processes = [
        fork.Process(target=as_rank, args=(rank, port, folder, work))
        for rank, folder in enumerate(folders)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    return [(folder / "result.txt").read_text() for folder in folders]


@pytest.fixture
def folders(tmp_path):
    """Two folders, of which the first has a file of two parts and a bit."""
    both = [tmp_path / "first", tmp_path / "second"]
    for folder in both:
        folder.mkdir()
    (both[0] / "run").mkdir()
    (both[0] / "run" / "last.ckpt").write_bytes(bytes(range(256)) * (2 * PART // 256) + b"end")
    return both


def choose():
    return Path("run/last.ckpt")


def test_checkpoint_is_sent_to_the_machine_that_lacks_it(folders):
    results = on_two_machines(folders, lambda: checkpoint_on_all_ranks(choose))
    assert results == ["run/last.ckpt", "mlruns/received/run/last.ckpt"]
    copy = folders[1] / results[1]
    assert copy.read_bytes() == (folders[0] / "run" / "last.ckpt").read_bytes()


def test_checkpoint_that_is_the_same_on_both_machines_is_used_where_it_is(folders):
    shutil.copytree(folders[0] / "run", folders[1] / "run")
    results = on_two_machines(folders, lambda: checkpoint_on_all_ranks(choose))
    assert results == ["run/last.ckpt", "run/last.ckpt"]


def test_fit_without_a_checkpoint_starts_on_both_machines(folders):
    assert on_two_machines(folders, lambda: checkpoint_on_all_ranks(lambda: None)) == ["None"] * 2


def test_checkpoint_that_is_not_there_is_refused_on_both_machines(folders):
    def refuse():
        raise ValueError("There is no run 'x'.")

    first, second = on_two_machines(folders, lambda: checkpoint_on_all_ranks(refuse))
    assert first == "ValueError: There is no run 'x'."
    assert second == "ValueError: Rank 0 cannot go on: There is no run 'x'."


def test_checkpoint_that_cannot_be_received_is_refused_on_both_machines(folders):
    (folders[1] / "mlruns").touch()
    for result in on_two_machines(folders, lambda: checkpoint_on_all_ranks(choose)):
        assert "Rank 1 lacks the checkpoint run/last.ckpt and cannot receive it: " in result
        assert "Copy the file to the same path on its machine." in result


def test_exit_of_the_first_rank_is_that_of_the_other(folders):
    assert (
        on_two_machines(folders, lambda: agreed("x", lambda: sys.exit(2))) == ["SystemExit: 2"] * 2
    )


def test_fit_resumes_where_only_the_first_machine_has_the_checkpoint(in_new_folder, monkeypatch):
    with in_new_folder("machines", CONFIG) as first:
        main(["fit", "--config", "config.yaml"])
    (other := first / "other").mkdir()
    shutil.copy(first / "config.yaml", other)
    [file] = first.glob("mlruns/checkpoints/*/*/last.ckpt")
    before, started = digest_of(file), read_checkpoint(file)["global_step"]
    store = f"sqlite:///{first / 'mlruns' / 'mlflow.db'}"
    monkeypatch.setattr(node_metrics, "is_local", lambda uri: False)  # both reach it, as a server
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")
    more = ["--ckpt_path", "last", "--trainer.max_epochs", "2", *TWO]

    def fit():
        # A spelling of its own: MLflow would go on with a connection from before the fork.
        other_spelling = store.replace(
            "/mlruns/", f"/mlruns{'/.' * (1 + int(os.environ['RANK']))}/"
        )
        os.environ["MLFLOW_TRACKING_URI"] = other_spelling
        main(["fit", "--config", "config.yaml", *more])

    results = on_two_machines([first, other], fit)
    assert results == ["None", "None"]
    [copy] = other.glob("mlruns/received/*/last.ckpt")
    assert digest_of(copy) == before
    assert copy.parent.name == file.parent.name
    resumed = read_checkpoint(file)
    assert resumed["epoch"] == 1
    metrics = MlflowClient(store).get_run(file.parent.name).data.metrics
    for node in ("system/", "system/node1/"):
        assert 0 <= metrics[f"{node}cpu_utilization_percentage"] <= 100
    assert 0 < resumed["global_step"] - started < started  # each rank saw its half of the images
