"""Fixtures of the whole suite: small models, quiet trainers, and a tracking store that is ready.

pytest-xdist's main process only hands out the tests, but it loads this file too. It needs neither
torch nor MLflow, which take seconds to import, so the fixtures import them.
"""

import ctypes
import gc
import logging
import os
import shutil
import sys
from functools import cache
from importlib.metadata import version

import numpy as np
import psutil
import pytest
from filelock import FileLock
from PIL import Image

# For all processes of a test, before torch is imported. Two threads on busy cores are slower than
# one, and sums depend on their number.
os.environ["OMP_NUM_THREADS"] = "1"
# A process that compiles all that it imports takes three times as long to start.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Only a slow fit has system metrics, and a run that a test leaves open would log them for ever.
os.environ["MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"] = "3600"  # seconds

GROWTH = 100 * 2**20  # bytes that a process may grow by before memory is freed


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Exempt what the imports make from garbage collection.

    With these 800,000 objects a collection takes half a second, so that Python collects rarely,
    and trainers and networks of earlier tests, which are reference cycles, add up to gigabytes.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_unconfigure():
    """Let the interpreter delete everything when it ends."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def free_memory():
    """Free the memory that earlier tests left, where it is much."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from mlflow.tracking._tracking_service.utils import _tracking_store_registry

    def free():
        nonlocal resident
        if process.memory_info().rss < resident + GROWTH:
            return
        # MLflow keeps each store that was ever opened, with its compiled queries.
        _tracking_store_registry._get_store_with_resolved_uri.cache_clear()
        while SqlAlchemyStore._engine_map:
            SqlAlchemyStore._engine_map.popitem()[1].dispose()
        gc.collect()
        trim(0)
        resident = process.memory_info().rss

    # The GNU C library keeps what is freed, unless it is told to give it back.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
    process = psutil.Process()
    resident = process.memory_info().rss
    return free


@pytest.fixture(autouse=True, scope="session")
def quick_stores():
    """Let SQLite not wait for the disk, and MLflow read its list of migrations once."""
    from mlflow.store.db import utils as databases
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def connected(connection, record):
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", connected)
    with pytest.MonkeyPatch.context() as patch:
        revision = cache(databases._get_latest_schema_revision)
        patch.setattr(databases, "_get_latest_schema_revision", revision)
        yield
    event.remove(Engine, "connect", connected)


@pytest.fixture(autouse=True)
def nothing_of_another_test(monkeypatch, free_memory):
    """Remove the store of an earlier test, which MLflow sets in the environment; free memory."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    free_memory()


@pytest.fixture(scope="session")
def store_template(request):
    """An empty MLflow database, made once for all workers and sessions: migrations take seconds."""
    file = request.config.cache.mkdir("store") / f"mlflow-{version('mlflow')}.db"
    with FileLock(f"{file}.lock"):
        if not file.is_file():
            from mlflow import MlflowClient

            unfinished = file.with_suffix(".tmp")
            MlflowClient(f"sqlite:///{unfinished}").search_experiments()
            unfinished.replace(file)
    return file


@pytest.fixture
def workplace(tmp_path, monkeypatch, store_template):
    """An empty folder to run commands in; its store is ready."""
    (tmp_path / "mlruns").mkdir()
    shutil.copy(store_template, tmp_path / "mlruns" / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def client(workplace):
    """Reads what runs left in the workplace."""
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{workplace / 'mlruns' / 'mlflow.db'}")


@pytest.fixture
def make_classifier():
    """A small classifier for the synthetic data, the same at every call."""
    from lightning.pytorch import seed_everything
    from torch.optim import AdamW

    from models import ImageClassifier, SmallCNN

    def make(num_classes=4, num_channels=1, **options):
        seed_everything(0, verbose=False)
        optimizer = options.pop("optimizer", lambda groups: AdamW(groups, lr=3e-3))
        make_backbone = options.pop("make_backbone", lambda: SmallCNN(8, num_channels))
        return ImageClassifier(make_backbone(), num_classes, optimizer=optimizer, **options)

    return make


@pytest.fixture
def make_trainer(tmp_path):
    """A trainer that prints nothing and leaves nothing behind."""
    from lightning.pytorch import Trainer

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
    """Eighty images of four textures, of which sixty-four train."""
    from datamodules import SyntheticDataModule

    return SyntheticDataModule(num_images=80, batch_size=16)


@pytest.fixture
def write_image():
    """Write an image of one colour."""

    def write(file, color=(200, 100, 50), size=(20, 10), **options):
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((size[1], size[0], 3), color, np.uint8)).save(file, **options)
        return file

    return write


@pytest.fixture
def messages(caplog):
    """Messages to the user; Lightning's loggers do not propagate to the root logger."""
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    logger.addHandler(caplog.handler)
    with caplog.at_level("INFO", logger=logger.name):
        yield caplog
    logger.removeHandler(caplog.handler)
