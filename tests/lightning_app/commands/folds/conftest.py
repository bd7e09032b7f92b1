"""A cross-validation of a tiny network, trained once for all tests of folds and ensembles."""

import os
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace

import pytest

from lightning_app.cli.child_runs.child_run import ChildRunFailed
from lightning_app.cli.child_runs.runner import Runner
from lightning_app.main import main
from models import ImageClassifier


@pytest.fixture(scope="module")
def config(small_config):
    """Configuration of two epochs of one step."""
    config = small_config("parts", num_images=60, batch_size=20, num_workers=0, image_size=16)
    optimizer = {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.03}}
    config["model"]["init_args"]["optimizer"] = optimizer
    config["trainer"]["max_epochs"] = 2
    return config


def fail_in_second_epoch(patch):
    """A fault of the training."""
    original = ImageClassifier.training_step

    def step(self, batch, batch_idx):
        if self.current_epoch == 1:
            raise ValueError("as planned.")
        return original(self, batch, batch_idx)

    patch.setattr(ImageClassifier, "training_step", step)


@pytest.fixture(scope="module")
def trained(in_new_folder, config):
    """Two folds, the first of which failed in the first start; what the starts ran, and their end.

    Child runs are run in this process.
    """
    found = SimpleNamespace(commands=[], starts=[], status=None, resumed=[])

    def start(self, command, child, more, environment, log):
        found.commands.append((command, child.name))
        if command == "fit" and "--ckpt_path" in more:
            found.resumed.append(child.name)
        with pytest.MonkeyPatch.context() as patch:
            for name in environment.keys() - os.environ.keys():
                patch.setenv(name, environment[name])
            if not found.starts and len(found.commands) == 1:
                fail_in_second_epoch(patch)
            try:
                main([command, *child.arguments, *more])
            except (SystemExit, ValueError) as error:
                raise ChildRunFailed("as planned.") from error

    with in_new_folder("folds", config) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runner, "_start", start)
        command = ["folds", "--config", "config.yaml", "--folds", "2"]
        with pytest.raises(SystemExit) as failed:
            main(command)
        found.status = failed.value.code
        found.starts.append(found.commands.copy())
        found.commands.clear()
        with redirect_stdout(StringIO()) as output:
            main(command)
        found.printed = output.getvalue()
        found.starts.append(found.commands.copy())
        found.folder = folder
        yield found


@pytest.fixture
def in_folder(trained, monkeypatch):
    """Work in the folder of the cross-validation."""
    monkeypatch.chdir(trained.folder)
    return trained
