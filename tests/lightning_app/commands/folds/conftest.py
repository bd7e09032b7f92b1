"""A cross-validation of a tiny network, trained once for all tests of folds and ensembles."""

import os
from types import SimpleNamespace

import pytest

from lightning_app.cli.child_runs.child_run import ChildRunFailed
from lightning_app.cli.child_runs.runner import Runner
from lightning_app.main import main

BASE = {
    "data": {
        "class_path": "SyntheticDataModule",
        "init_args": {"num_images": 60, "batch_size": 20, "num_workers": 0, "image_size": 16},
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {
            "backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}},
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.03}},
        },
    },
    "trainer": {
        "max_epochs": 1,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "parts"}},
    },
    "pictures": {"budget": 0},
    "report": False,
}


@pytest.fixture(scope="module")
def trained(in_new_folder):
    """Two folds, the first of which failed in the first start; what the starts ran, and their end.

    Child runs are run in this process.
    """
    found = SimpleNamespace(commands=[], starts=[], status=None)

    def start(self, command, child, more, environment, log):
        found.commands.append((command, child.name))
        if not found.starts and len(found.commands) == 1:
            raise ChildRunFailed("as planned.")
        with pytest.MonkeyPatch.context() as patch:
            for name in environment.keys() - os.environ.keys():
                patch.setenv(name, environment[name])
            main([command, *child.arguments, *more])

    with in_new_folder("folds", BASE) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runner, "_start", start)
        command = ["folds", "--config", "config.yaml", "--folds", "2"]
        with pytest.raises(SystemExit) as failed:
            main(command)
        found.status = failed.value.code
        found.starts.append(found.commands.copy())
        found.commands.clear()
        main(command)
        found.starts.append(found.commands.copy())
        found.folder = folder
        yield found


@pytest.fixture
def in_folder(trained, monkeypatch):
    """Work in the folder of the cross-validation."""
    monkeypatch.chdir(trained.folder)
    return trained
