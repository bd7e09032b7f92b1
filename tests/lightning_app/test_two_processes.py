"""Two real processes (gloo, CPU): every image is counted once, and ranks train as one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

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
}


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
    callback = ["--trainer.callbacks", "deleting.Delete"]
    two = ["--trainer.max_epochs", "3", "--trainer.devices", "2", "--trainer.strategy", "ddp"]
    command = ["fit", "--config", "config.yaml", *two, *callback]
    environment = {**os.environ, "PYTHONPATH": str(workplace)}
    subprocess.run(
        [sys.executable, "-m", "lightning_app", *command], check=True, timeout=120, env=environment
    )
    [run] = client.search_runs([client.get_experiment_by_name("processes").experiment_id])
    assert run.data.metrics["data/unreadable"] == 3


def test_metrics_and_predictions_of_two_processes_are_those_of_one(workplace, client):
    Path("config.yaml").write_text(yaml.safe_dump(CONFIG))
    command = ["test", "--config", "config.yaml", "--ckpt_path", "best"]
    main(["fit", "--config", "config.yaml"])
    main(command)
    [run] = client.search_runs([client.get_experiment_by_name("processes").experiment_id])

    def predictions():
        return Path(client.download_artifacts(run.info.run_id, "predictions/test.csv")).read_text()

    table = predictions()
    client.log_text(run.info.run_id, "", "predictions/test.csv")
    two = ["--trainer.devices", "2", "--trainer.strategy", "ddp"]
    subprocess.run([sys.executable, "-m", "lightning_app", *command, *two], check=True)
    assert len(table.splitlines()) == 1 + 15
    assert predictions() == table
    for name in ("test/accuracy", "test/loss", "test/f1_macro"):
        first, second = client.get_metric_history(run.info.run_id, name)
        assert second.value == pytest.approx(first.value, rel=1e-6)


def test_submission_of_two_processes_with_views_is_that_of_one(workplace, client):
    Path("config.yaml").write_text(yaml.safe_dump(CONFIG))
    main(["fit", "--config", "config.yaml"])
    [run] = client.search_runs([client.get_experiment_by_name("processes").experiment_id])

    def artifact(name):
        file = client.download_artifacts(run.info.run_id, f"predictions/{name}.csv")
        return Path(file).read_text()

    command = ["predict", "--config", "config.yaml", "--ckpt_path", "best"]
    command += ["--data.options.test_time_views", "[mirror]"]
    main(command)
    table = artifact("predict")
    images = [line.split(",")[0] for line in table.splitlines()[1:]]
    sample = "".join(f"{image},?\n" for image in reversed(images))
    Path("sample.csv").write_text(f"id,class\n{sample}")
    two = ["--trainer.devices", "2", "--trainer.strategy", "ddp"]
    two += ["--predictions.sample_submission", "sample.csv"]
    subprocess.run([sys.executable, "-m", "lightning_app", *command, *two], check=True)
    assert len(set(images)) == 15
    assert artifact("predict") == table
    answers = [line.split(",") for line in artifact("submission").splitlines()[1:]]
    said = [line.split(",")[2] for line in table.splitlines()[1:]]
    assert answers == [list(pair) for pair in zip(reversed(images), reversed(said), strict=True)]
