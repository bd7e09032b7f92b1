"""A small fit whose checkpoint and stored configuration the tests tamper with."""

from contextlib import contextmanager

import pytest
import torch

from lightning_app.main import main

CONFIG = {
    "data": {
        "class_path": "SyntheticDataModule",
        "init_args": {"num_images": 80, "batch_size": 16},
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {"backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}}},
    },
    "trainer": {
        "max_epochs": 1,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "faults", "run_name": "small"}},
    },
    "pictures": {"budget": 0},
    "report": False,
}


@pytest.fixture(scope="session")
def trained(in_new_folder):
    """A folder with a fit, `config.yaml` and `best.ckpt`, shared by all tests."""
    with in_new_folder("faults", CONFIG) as folder:
        main(["fit", "--config", "config.yaml"])
    (best,) = folder.glob("mlruns/checkpoints/*/*/best.ckpt")
    best.rename(folder / "best.ckpt")
    return folder


@pytest.fixture
def folder(trained, monkeypatch):
    """The folder of the fit, in which commands run."""
    monkeypatch.chdir(trained)
    return trained


@pytest.fixture
def tampered(folder, tmp_path):
    """Context manager that changes a copy of the checkpoint: yields its content and its file."""

    @contextmanager
    def change():
        file = tmp_path / "tampered.ckpt"
        content = torch.load(folder / "best.ckpt", weights_only=True)
        yield content, file
        torch.save(content, file)

    return change


@pytest.fixture
def refused(capsys):
    """Function that runs a command, which has to end with an error of a few lines."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        assert end.value.code in (1, 2)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return printed.err

    return run
