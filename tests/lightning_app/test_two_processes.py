"""Two real processes (gloo, CPU): every image is counted once, and ranks train as one process."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from lightning.fabric.plugins.environments.lightning import find_free_network_port
from lightning.pytorch.utilities import rank_zero_only

from datamodules import SyntheticDataModule
from lightning_app.main import main
from models import TimmBackbone

CONFIG = {
    # 71 images leave 15 to test, an odd number that two processes cannot share evenly.
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


DELETING = """
from pathlib import Path
from lightning.pytorch import Callback

class Delete(Callback):
    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch == 1 and trainer.is_global_zero:
            for name in ("train/a/4.png", "val/a/2.png", "val/b/13.png"):
                (Path("images") / name).unlink()
"""


def weights_after_a_fit(make_classifier, make_trainer, batch_size, **options):
    model = make_classifier(
        # No batch norm: its statistics are those of a process's own batch. No Adam: it makes a
        # rounding error of a vanishing gradient a whole step.
        make_backbone=lambda: TimmBackbone("test_vit", num_channels=1, image_size=32),
        optimizer=lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.9),
    )
    trainer = make_trainer(max_epochs=2, **options)
    trainer.fit(model, SyntheticDataModule(num_images=80, batch_size=batch_size))
    return model.state_dict()


def run_rank(rank, port, command):
    """Run a command as one of two processes that were started for it, as `torchrun` starts them."""
    ranks = {"LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ.update(ranks)
    rank_zero_only.rank = rank
    main([*command, *TWO])


@pytest.fixture
def in_two_processes():
    """Run a command in two processes. They are forked, so that they need not import anything."""
    fork = multiprocessing.get_context("fork")

    def run(command):
        port = find_free_network_port()
        ranks = [fork.Process(target=run_rank, args=(rank, port, command)) for rank in range(2)]
        for process in ranks:
            process.start()
        for process in ranks:
            process.join()
        assert [process.exitcode for process in ranks] == [0, 0]

    return run


@pytest.fixture
def fitted(workplace, client):
    """The run of a fit in one process, and its artifacts."""
    Path("config.yaml").write_text(yaml.safe_dump(CONFIG))
    main(["fit", "--config", "config.yaml"])
    [run] = client.search_runs([client.get_experiment_by_name("processes").experiment_id])

    def artifact(name):
        file = client.download_artifacts(run.info.run_id, f"predictions/{name}.csv")
        return Path(file).read_text()

    return run.info.run_id, artifact


def test_two_processes_with_half_the_batch_train_as_one(make_classifier, make_trainer):
    fit = (make_classifier, make_trainer)
    one = weights_after_a_fit(*fit, batch_size=16)
    two = {"devices": 2, "strategy": "ddp_fork"}
    both = weights_after_a_fit(*fit, batch_size=8, **two)
    for name in one:
        torch.testing.assert_close(both[name], one[name], rtol=0, atol=1e-6)


def test_two_processes_fit_with_a_progress_bar_and_agree_on_what_is_unreadable(
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
    Path("deleting.py").write_text(DELETING)
    callback = ["--trainer.max_epochs", "3", "--trainer.callbacks", "deleting.Delete"]
    # As a user starts it: the first process starts the second.
    command = [sys.executable, "-m", "lightning_app", "fit", "--config", "config.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(workplace)}
    subprocess.run([*command, *TWO, *callback], check=True, env=environment)
    [run] = client.search_runs([client.get_experiment_by_name("processes").experiment_id])
    assert run.data.metrics["data/unreadable"] == 3


def test_metrics_and_predictions_of_two_processes_are_those_of_one(
    fitted, client, in_two_processes
):
    run_id, artifact = fitted
    command = ["test", "--config", "config.yaml", "--ckpt_path", "best"]
    main(command)
    table = artifact("test")
    client.log_text(run_id, "", "predictions/test.csv")
    in_two_processes(command)
    assert len(table.splitlines()) == 1 + 15
    assert artifact("test") == table
    for name in ("test/accuracy", "test/loss", "test/f1_macro"):
        first, second = client.get_metric_history(run_id, name)
        assert second.value == pytest.approx(first.value, rel=1e-6)


def test_submission_of_two_processes_with_views_is_that_of_one(fitted, in_two_processes):
    _, artifact = fitted
    command = ["predict", "--config", "config.yaml", "--ckpt_path", "best"]
    command += ["--data.options.test_time_views", "[mirror]"]
    main(command)
    table = artifact("predict")
    images = [line.split(",")[0] for line in table.splitlines()[1:]]
    sample = "".join(f"{image},?\n" for image in reversed(images))
    Path("sample.csv").write_text(f"id,class\n{sample}")
    in_two_processes([*command, "--predictions.sample_submission", "sample.csv"])
    assert len(set(images)) == 15
    assert artifact("predict") == table
    answers = [line.split(",") for line in artifact("submission").splitlines()[1:]]
    predicted = [line.split(",")[2] for line in table.splitlines()[1:]]
    assert answers == [
        list(pair) for pair in zip(reversed(images), reversed(predicted), strict=True)
    ]
