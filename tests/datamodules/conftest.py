"""Fixtures for tests of shards: noisy images in class folders, and shards of them."""

import shutil

import numpy as np
import pytest
from PIL import Image

from datamodules import ImageFolderDataModule
from lightning_app.commands.prepare.shard_writer import write_shards


@pytest.fixture(scope="session")
def noise_images(tmp_path_factory):
    """Folder of three classes with 24 different noisy images each, in two formats; read-only."""
    folder = tmp_path_factory.mktemp("noise") / "images"
    rng = np.random.default_rng(0)
    for index in range(72):
        suffix = "jpg" if index % 2 else "PNG"
        file = folder / "abc"[index % 3] / f"{index}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).save(file)
    return folder


@pytest.fixture(scope="session")
def written_shards(noise_images):
    """Folder with shards of these images, about four in each; read-only."""
    folder = noise_images.parent / "shards"
    folder.mkdir()
    data = ImageFolderDataModule(noise_images, image_size=8, num_workers=0)
    write_shards(data, folder, max_bytes=2000, seed=0)
    return folder


@pytest.fixture
def noise_folder(noise_images):
    """Datamodule of these images in class folders."""
    return ImageFolderDataModule(noise_images, image_size=8, num_workers=0)


@pytest.fixture
def shards(written_shards, tmp_path, monkeypatch):
    """Copy of these shards in `tmp_path`, which becomes the working folder."""
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(written_shards, tmp_path / "shards")
