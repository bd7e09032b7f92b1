"""Training and evaluation in two processes (gloo, CPU) give the results of one process."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from lightning.fabric.plugins.environments.lightning import find_free_network_port
from lightning.pytorch import Callback
from lightning.pytorch.utilities import rank_zero_only

from callbacks import DynamicsRecorder
from datamodules import SyntheticDataModule
from lightning_app.main import main
from models import TimmBackbone

CONFIG = {
    # Of 71 images 15 are in the test split: an odd number, which two processes cannot share evenly.
    "data": {"class_path": "SyntheticDataModule", "init_args": {"num_images": 71, "batch_size": 4}},
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {"backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}}},
    },
    "trainer": {
        "max_epochs": 1,
        "accelerator": "cpu",
        "logger": {"init_args": {"experiment_name": "processes"}},
    },
    "pictures": {"budget": 0},
    "report": False,
}
TWO = ["--trainer.devices", "2", "--trainer.strategy", "ddp"]

DELETE_FILES = """
from pathlib import Path
from lightning.pytorch import Callback

class DeleteFiles(Callback):
    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch == 1 and trainer.is_global_zero:
            for name in ("train/a/4.png", "val/a/2.png", "val/b/13.png"):
                (Path("images") / name).unlink()
"""


class KeepDynamics(Callback):
    """Writes the training dynamics at the end of a fit."""

    def __init__(self, recorder, file):
        self.recorder, self.file = recorder, file

    def on_train_end(self, trainer, pl_module):
        if trainer.is_global_zero:
            torch.save(self.recorder.result(trainer)._asdict(), self.file)


def trained(make_classifier, make_trainer, batch_size, **options):
    """The weights after a fit, and its training dynamics."""
    model = make_classifier(
        # No batch norm: each process computes its statistics from its own part of the batch. No
        # Adam: it takes a whole step even if a gradient is only a rounding error.
        make_backbone=lambda: TimmBackbone("test_vit", num_channels=1, image_size=32),
        optimizer=lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.9),
    )
    recorder = DynamicsRecorder()
    callbacks = [recorder, KeepDynamics(recorder, Path("dynamics.pt"))]
    trainer = make_trainer(max_epochs=2, callbacks=callbacks, **options)
    trainer.fit(model, SyntheticDataModule(num_images=80, batch_size=batch_size))
    return model.state_dict(), torch.load("dynamics.pt")


def run_rank(rank, port, command):
    """Run a command as one of two processes, with the environment that `torchrun` sets."""
    settings = {"LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ.update(settings)
    rank_zero_only.rank = rank  # pyright: ignore[reportFunctionMemberAccess]
    main([*command, *TWO])


@pytest.fixture
def in_two_processes():
    """Function that runs a command in two processes, forked to save the time for imports."""
    fork = multiprocessing.get_context("fork")

    def run(command):
        port = find_free_network_port()
        processes = [fork.Process(target=run_rank, args=(rank, port, command)) for rank in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]

    return run


@pytest.fixture
def fitted(workplace, client):
    """ID of a run that one process trained, and a function that reads its tables of predictions."""
    Path("config.yaml").write_text(yaml.safe_dump(CONFIG))
    main(["fit", "--config", "config.yaml"])
    [run] = client.search_runs([client.get_experiment_by_name("processes").experiment_id])

    def read_table(name):
        file = client.download_artifacts(run.info.run_id, f"predictions/{name}.csv")
        return Path(file).read_text()

    return run.info.run_id, read_table


def test_two_processes_with_half_the_batch_size_reach_the_weights_of_one(
    make_classifier, make_trainer, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    factories = (make_classifier, make_trainer)
    one, dynamics = trained(*factories, batch_size=16)
    Path("dynamics.pt").unlink()
    two, of_two = trained(*factories, batch_size=8, devices=2, strategy="ddp_fork")
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=0, atol=1e-6)
    assert dynamics["counts"].sum() == 2 * 48  # whole batches of both epochs, as with two:
    for name in dynamics:
        # The spread is the root of a difference of sums in float32.
        atol = 1e-3 if name == "spread" else 1e-5
        torch.testing.assert_close(of_two[name], dynamics[name], rtol=0, atol=atol)


@pytest.mark.slow
def test_two_processes_with_a_progress_bar_count_each_unreadable_image_once(
    workplace, client, write_image
):
    for split in ("train", "val"):
        for index in range(16):
            write_image(Path("images") / split / "ab"[index % 2] / f"{index}.png", size=(16, 16))
    data = {"root": "images", "image_size": 16, "batch_size": 4, "num_workers": 0}
    config = {
        **CONFIG,
        "data": {
            "class_path": "ImageFolderDataModule",
            "init_args": {**data, "split": {"test": 0}},
        },
    }
    Path("config.yaml").write_text(yaml.safe_dump(config))
    Path("delete_files.py").write_text(DELETE_FILES)
    callback = ["--trainer.max_epochs", "3", "--trainer.callbacks", "delete_files.DeleteFiles"]
    # As from a console: the first process starts the second.
    command = [sys.executable, "-m", "lightning_app", "fit", "--config", "config.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(workplace)}
    subprocess.run([*command, *TWO, *callback, "--log_model=false"], check=True, env=environment)
    [run] = client.search_runs([client.get_experiment_by_name("processes").experiment_id])
    assert run.data.metrics["data/unreadable"] == 3


def test_two_processes_log_the_metrics_and_predictions_of_one(fitted, client, in_two_processes):
    run_id, read_table = fitted
    command = ["test", "--config", "config.yaml", "--ckpt_path", "best"]
    main(command)
    table = read_table("test")
    client.log_text(run_id, "", "predictions/test.csv")
    in_two_processes(command)
    assert len(table.splitlines()) == 1 + 15
    assert read_table("test") == table
    for name in ("test/accuracy", "test/loss", "test/f1_macro"):
        first, second = client.get_metric_history(run_id, name)
        assert second.value == first.value


def test_two_processes_with_test_time_views_write_the_submission_of_one(fitted, in_two_processes):
    _, read_table = fitted
    command = ["predict", "--config", "config.yaml", "--ckpt_path", "best"]
    command += ["--data.options.test_time_views", "[mirror]"]
    main(command)
    table = read_table("predict")
    images = [line.split(",")[0] for line in table.splitlines()[1:]]
    sample = "".join(f"{image},?\n" for image in reversed(images))
    Path("sample.csv").write_text(f"id,class\n{sample}")
    in_two_processes([*command, "--predictions.sample_submission", "sample.csv"])
    assert len(set(images)) == 15
    assert read_table("predict") == table
    answers = [line.split(",") for line in read_table("submission").splitlines()[1:]]
    predicted = [line.split(",")[2] for line in table.splitlines()[1:]]
    assert answers == [
        list(pair) for pair in zip(reversed(images), reversed(predicted), strict=True)
    ]
