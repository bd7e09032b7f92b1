"""Weights of a real network, and images of the user."""

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from lightning_app.main import main


@pytest.fixture
def folder(trained, tmp_path, monkeypatch):
    """The folder in which commands run; output goes to `tmp_path`."""
    monkeypatch.chdir(trained)
    return trained


@pytest.fixture
def photos(tmp_path):
    """Three images of other sizes than the network's, one of them in a folder."""
    rng = np.random.default_rng(0)
    for name, size in (("a.png", (40, 50)), ("b.png", (32, 32)), ("more/c.jpg", (60, 33))):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(file)
    return tmp_path / "photos"


@pytest.fixture(scope="session")
def squeezenet(tmp_path_factory):
    """Weights of torchvision's smallest network for five classes."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / "squeezenet.pth"
    torch.save(torchvision.models.squeezenet1_1(num_classes=5).state_dict(), file)
    return file


@pytest.fixture
def refused(capsys):
    """The error of a command that ends with status 1."""

    def run(*arguments):
        with pytest.raises(SystemExit, match="1"):
            main(["explain", *map(str, arguments)])
        error = capsys.readouterr().err
        assert "Traceback" not in error
        return error

    return run
