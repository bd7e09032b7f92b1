"""Fixtures for all tests: small models, quiet trainers, prepared MLflow stores, free memory.

torch and MLflow take seconds to import. They are imported in the fixtures, since the main process
of pytest-xdist also loads this file but needs neither: it only distributes the tests.
"""

import ctypes
import gc
import logging
import os
import shutil
import struct
import sys
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version

import numpy as np
import psutil
import pytest
import yaml
from filelock import FileLock
from PIL import Image

# For all processes of a test, set before torch is imported. On busy cores two threads are slower
# than one, and sums depend on the number of threads.
os.environ["OMP_NUM_THREADS"] = "1"
# Without cached bytecode a process takes three times as long to start.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# System metrics would appear only in fits that last long enough, and a run that a test leaves open
# would log them until the process ends.
os.environ["MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"] = "3600"  # seconds

MAX_GROWTH = 100 * 2**20  # bytes that a process may grow by before memory is freed


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Exempt the objects that the imports create from garbage collection.

    There are 800,000 of them, with which a collection takes half a second. So Python would collect
    rarely, and trainers and networks of earlier tests, which are reference cycles, would add up to
    gigabytes.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_unconfigure():
    """Undo the exemption, so that the interpreter deletes these objects when it exits."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def free_memory():
    """Function that frees the memory of earlier tests if the process has grown much."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from mlflow.tracking._tracking_service.utils import _tracking_store_registry

    def free():
        nonlocal resident
        if process.memory_info().rss < resident + MAX_GROWTH:
            return
        # MLflow keeps every store that was opened, with its compiled queries.
        _tracking_store_registry._get_store_with_resolved_uri.cache_clear()
        while SqlAlchemyStore._engine_map:
            SqlAlchemyStore._engine_map.popitem()[1].dispose()
        gc.collect()
        trim(0)
        resident = process.memory_info().rss

    # The GNU C library keeps freed memory until `malloc_trim` returns it to the system.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)
    process = psutil.Process()
    resident = process.memory_info().rss
    return free


@pytest.fixture(scope="session")
def printer_profile():
    """A colour profile of printing colours (CMYK) with a table of two points per ink."""

    def numbers(*values):
        return struct.pack(f">{len(values)}i", *(round(65536 * value) for value in values))

    inks = [tuple(number >> bit & 1 for bit in (3, 2, 1, 0)) for number in range(16)]
    table = bytearray()  # L from 0 to 255, a and b around 128
    for cyan, magenta, yellow, black in inks:
        light = max(0, 240 - 70 * cyan - 90 * magenta - 20 * yellow - 200 * black)
        table += bytes((light, 128 - 40 * cyan + 70 * magenta, 128 - 45 * cyan + 80 * yellow))
    line = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + numbers(1, 0, 0, 0, 1, 0, 0, 0, 1)
    lut += line * 4 + table + line * 3
    tags = {b"wtpt": b"XYZ " + bytes(4) + numbers(0.9642, 1.0, 0.8249), b"A2B0": lut}
    place, entries, content = 132 + 12 * len(tags), b"", b""
    for name, value in tags.items():
        entries += name + struct.pack(">II", place + len(content), len(value))
        content += value + bytes(-len(value) % 4)
    header = struct.pack(
        ">I4sI4s4s4s", place + len(content), b"lcms", 0x02100000, b"prtr", b"CMYK", b"Lab "
    )
    header += bytes(12) + b"acsp" + bytes(28) + numbers(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + entries + content


@pytest.fixture(autouse=True, scope="session")
def fast_stores():
    """Faster stores: SQLite does not wait for the disk, and MLflow lists its migrations once."""
    from mlflow.store.db import utils as databases
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def do_not_wait(connection, record):
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", do_not_wait)
    with pytest.MonkeyPatch.context() as patch:
        revision = cache(databases._get_latest_schema_revision)
        patch.setattr(databases, "_get_latest_schema_revision", revision)
        yield
    event.remove(Engine, "connect", do_not_wait)


@pytest.fixture(autouse=True, scope="session")
def fast_parser():
    """The parser of settings is faster, by the same rules; it takes half of a short fit.

    For each of the 300 settings of a fit, several times, jsonargparse filters all actions of its
    parser and makes the text of the option anew for each. And it computes the defaults of the same
    parser again and again.
    """
    from jsonargparse import ArgumentParser, Namespace, _core, _namespace, _subcommands

    parse_key = Namespace._parse_key

    def parse_simple_key(self, key):
        if type(key) is str and key and "." not in key and " " not in key:
            return _namespace.add_clash_mark(key), self, ""
        return parse_key(self, key)

    lookup = _subcommands.find_action_and_subcommand
    found, defaults = fast_lookup(lookup), ArgumentParser.get_defaults
    changes = [
        (_subcommands, lookup.__name__, found),
        (_core, lookup.__name__, found),
        (Namespace, parse_key.__name__, parse_simple_key),
        (ArgumentParser, defaults.__name__, kept_defaults(defaults)),
    ]
    plain = [(where, name, getattr(where, name)) for where, name, _ in changes]
    with pytest.MonkeyPatch.context() as patch:
        for change in changes:
            patch.setattr(*change)
        yield plain


def fast_lookup(original):
    """jsonargparse's `find_action_and_subcommand`, without work that has no effect."""
    from jsonargparse import ArgumentParser, _actions

    last_choice = (_actions._ActionConfigLoad, _actions.ActionFail)

    def find(parser, dest, exclude=None):
        if not isinstance(parser, ArgumentParser) or parser._subcommands_action:
            return original(parser, dest, exclude=exclude)  # calls this function for the command
        excluded = _actions.non_parsing_actions
        if exclude is not None:
            excluded = (*excluded, exclude)  # which may be a tuple, too
        option, found = f"--{dest}", None
        for action in parser._actions:
            if action.dest != dest and option not in action.option_strings:
                continue
            if isinstance(action, excluded):
                continue
            if not isinstance(action, last_choice):
                return action, None
            found = action
        return found, None

    return find


def kept_defaults(original):
    """jsonargparse's `get_defaults`, which keeps what it has computed for a parser."""
    from jsonargparse import _common, _typehints

    from lightning_app.cli.allowed_classes import _is_checked

    settings = (
        *(_common.lenient_check, _common.parsing_defaults, _common.validating_defaults),
        *(_common.load_value_mode, _typehints.sub_defaults, _typehints.allow_default_instance),
    )

    def get_defaults(self, skip_validation=False, **options):
        if options or self.default_config_files or _is_checked.get():
            return original(self, skip_validation, **options)
        state = [skip_validation, *(setting.get() for setting in settings)]
        defaults = [action.default for action in self._actions]
        kept = vars(self).setdefault("_kept_defaults", [])
        for of_state, of_defaults, found in kept:
            if of_state == state and of_defaults == defaults:
                return found.clone()
        found = original(self, skip_validation)
        kept.append((state, defaults, found.clone()))
        return found

    return get_defaults


@pytest.fixture(autouse=True, scope="session")
def no_logged_models():
    """Fits log no MLflow model, which takes seconds, unless a test sets `log_model`."""
    from lightning_app.cli import defaults

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(defaults, "LOG_MODEL", False)
        yield


@pytest.fixture(autouse=True)
def clean_process(free_memory):
    """Process without the state of earlier tests.

    MLflow puts the store of a test into the environment; it is removed, also for the fixtures of
    the next module, and memory is freed.
    """
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    free_memory()
    yield
    os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture(scope="session")
def store_template(request):
    """Empty MLflow database, made once for all workers and sessions: migrations take seconds."""
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
    """Empty working folder to run commands in, with an empty MLflow store."""
    (tmp_path / "mlruns").mkdir()
    shutil.copy(store_template, tmp_path / "mlruns" / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def client(workplace):
    """MLflow client of the store in `workplace`."""
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{workplace / 'mlruns' / 'mlflow.db'}")


@pytest.fixture
def make_classifier():
    """Function that makes a small classifier for synthetic images, always with equal weights."""
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
    """Function that makes a trainer that prints nothing and writes only below `tmp_path`."""
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
    """Eighty synthetic images of four textures, 64 of them in the training split."""
    from datamodules import SyntheticDataModule

    return SyntheticDataModule(num_images=80, batch_size=16)


@pytest.fixture
def write_image():
    """Function that writes an image of one colour."""

    def write(file, color=(200, 100, 50), size=(20, 10), **options):
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((size[1], size[0], 3), color, np.uint8)).save(file, **options)
        return file

    return write


@pytest.fixture
def messages(caplog):
    """Log messages, including those of Lightning, whose loggers do not propagate to the root."""
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    logger.addHandler(caplog.handler)
    with caplog.at_level("INFO", logger=logger.name):
        yield caplog
    logger.removeHandler(caplog.handler)


@pytest.fixture(scope="session")
def in_new_folder(tmp_path_factory, store_template):
    """Context manager that works in a new folder with an empty store.

    For fixtures that share runs between tests; `workplace` is for a single test.
    """

    @contextmanager
    def enter(name, config=None):
        folder = tmp_path_factory.mktemp(name)
        (folder / "mlruns").mkdir()
        shutil.copy(store_template, folder / "mlruns" / "mlflow.db")
        if config is not None:
            (folder / "config.yaml").write_text(yaml.safe_dump(config))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.delenv("MLFLOW_TRACKING_URI", raising=False)
            yield folder

    return enter
