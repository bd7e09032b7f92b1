"""Fixtures for tests of shards: photographs, and shards of them."""

import numpy as np
import pytest
from PIL import Image

from datamodules import ImageFolderDataModule
from lightning_app.commands.prepare.shard_writer import write_shards


@pytest.fixture
def noise_folder(tmp_path):
    """Three classes of 24 noisy photographs each, all different, two formats."""
    rng = np.random.default_rng(0)
    for index in range(72):
        suffix = "jpg" if index % 2 else "PNG"
        file = tmp_path / "images" / "abc"[index % 3] / f"{index}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).save(file)
    return ImageFolderDataModule(tmp_path / "images", image_size=8, num_workers=0)


@pytest.fixture
def shards(noise_folder, tmp_path, monkeypatch):
    """These photographs in shards of about four images; the working folder is beside them."""
    folder = tmp_path / "shards"
    folder.mkdir()
    write_shards(noise_folder, folder, max_bytes=2000, seed=0)
    monkeypatch.chdir(tmp_path)
    return folder
