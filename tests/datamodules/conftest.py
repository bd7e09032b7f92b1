"""Fixtures for tests of shards: photographs, and shards of them."""

import shutil

import numpy as np
import pytest
from PIL import Image

from datamodules import ImageFolderDataModule
from lightning_app.commands.prepare.shard_writer import write_shards


@pytest.fixture(scope="session")
def noise_images(tmp_path_factory):
    """Three classes of 24 noisy photographs each, all different, two formats; not to be changed."""
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
    """These photographs in shards of about four images; not to be changed."""
    folder = noise_images.parent / "shards"
    folder.mkdir()
    data = ImageFolderDataModule(noise_images, image_size=8, num_workers=0)
    write_shards(data, folder, max_bytes=2000, seed=0)
    return folder


@pytest.fixture
def noise_folder(noise_images):
    """The dataset of these photographs."""
    return ImageFolderDataModule(noise_images, image_size=8, num_workers=0)


@pytest.fixture
def shards(written_shards, tmp_path, monkeypatch):
    """A copy of these shards; the working folder is beside them."""
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(written_shards, tmp_path / "shards")
