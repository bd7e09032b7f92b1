"""What several tests need: one thread, quiet trainers, and a store that is ready."""

import logging
import shutil

import numpy as np
import pytest
import torch
from filelock import FileLock
from lightning.pytorch import Trainer, seed_everything
from mlflow import MlflowClient
from PIL import Image

from datamodules import SyntheticDataModule
from models import ImageClassifier, SmallCNN


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Two threads on contended cores are slower than one; and sums depend on their number."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_tracker_of_another_test(monkeypatch):
    """MLflow writes a logger's store into the environment, where the next one would find it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def store_template(tmp_path_factory):
    """An empty MLflow database, made once for all workers: migrations take seconds."""
    file = tmp_path_factory.getbasetemp().parent / "template.db"
    with FileLock(f"{file}.lock"):
        if not file.is_file():
            unfinished = file.with_suffix(".tmp")
            MlflowClient(f"sqlite:///{unfinished}").search_experiments()
            unfinished.replace(file)
    return file


@pytest.fixture
def workplace(tmp_path, monkeypatch, store_template):
    """An empty folder to run commands in, its store ready; MLflow's settings as by default."""
    (tmp_path / "mlruns").mkdir()
    shutil.copy(store_template, tmp_path / "mlruns" / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


@pytest.fixture
def client(workplace):
    """Reads what runs left in the workplace."""
    return MlflowClient(f"sqlite:///{workplace / 'mlruns' / 'mlflow.db'}")


@pytest.fixture
def make_classifier():
    """A small classifier for the synthetic data, the same at every call."""

    def make(num_classes=4, num_channels=1, **options):
        seed_everything(0, verbose=False)
        optimizer = options.pop("optimizer", lambda groups: torch.optim.AdamW(groups, lr=3e-3))
        make_backbone = options.pop("make_backbone", lambda: SmallCNN(8, num_channels))
        return ImageClassifier(make_backbone(), num_classes, optimizer=optimizer, **options)

    return make


@pytest.fixture
def make_trainer(tmp_path):
    """A trainer that leaves nothing behind."""

    def make(**options):
        quiet = {
            "accelerator": "cpu",
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "use_distributed_sampler": False,
            "default_root_dir": tmp_path,
        }
        return Trainer(**(quiet | options))

    return make


@pytest.fixture
def synthetic():
    """Sixty-four pictures of four textures."""
    return SyntheticDataModule(num_images=80, batch_size=16)


@pytest.fixture
def write_image():
    """Write a picture of one colour."""

    def write(file, color=(200, 100, 50), size=(20, 10), **options):
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((size[1], size[0], 3), color, np.uint8)).save(file, **options)
        return file

    return write


@pytest.fixture
def messages(caplog):
    """What is told to the user; Lightning's loggers hand nothing on to the root."""
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    logger.addHandler(caplog.handler)
    with caplog.at_level("INFO", logger=logger.name):
        yield caplog
    logger.removeHandler(caplog.handler)
