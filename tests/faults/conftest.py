"""A small fit whose checkpoint and stored configuration the tests tamper with."""

import multiprocessing
import os
import sys
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
import yaml
from lightning.fabric.plugins.environments.lightning import find_free_network_port
from lightning.pytorch.utilities import rank_zero_only

from lightning_app.main import main

FORK = multiprocessing.get_context("fork")  # saves the time for imports
LIMIT = 150  # seconds after which a process counts as hanging, on the busiest machine

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


@pytest.fixture
def configured(workplace, monkeypatch):
    """Function that writes `config.yaml` with callbacks of `faulty.py`; returns the command."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))

    def write(*callbacks, **trainer):
        listed = [
            {"class_path": f"faulty.{name}", "init_args": options} for name, options in callbacks
        ]
        changed = {**CONFIG["trainer"], "callbacks": listed, **trainer}
        Path("config.yaml").write_text(yaml.safe_dump({**CONFIG, "trainer": changed}))
        return ["fit", "--config", "config.yaml"]

    return write


@pytest.fixture
def fork():
    """Function that runs a command in forked processes; returns their exit codes and output."""

    def run(command, number=1):
        import lightning_app.cli.training_commands  # noqa: F401 - once for all processes

        port, ranks = find_free_network_port(), range(number)
        processes = [FORK.Process(target=_rank, args=(r, number, port, command)) for r in ranks]
        for process in processes:
            process.start()
        deadline = time.monotonic() + LIMIT
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
        hanging = [process for process in processes if process.is_alive()]
        for process in hanging:
            process.kill()
            process.join()
        assert not hanging
        output = [Path(f"{rank}.log").read_text() for rank in ranks]
        return [process.exitcode for process in processes], output

    return run


def _rank(rank, number, port, command):
    """Run a command with the output in a file; as one of several, as `torchrun` starts them."""
    log = open(f"{rank}.log", "w", buffering=1)  # noqa: PTH123, SIM115 - until the process ends
    for stream in (1, 2):
        os.dup2(log.fileno(), stream)
    sys.stdout = sys.stderr = log
    warnings.resetwarnings()  # of pytest
    if number > 1:
        settings = {"LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ.update(settings)
        rank_zero_only.rank = rank  # pyright: ignore[reportFunctionMemberAccess]
        command = [*command, "--trainer.devices", str(number), "--trainer.strategy", "ddp"]
    try:
        main(command)
    except Exception:
        sys.excepthook(*sys.exc_info())  # as the interpreter would
        sys.exit(1)
