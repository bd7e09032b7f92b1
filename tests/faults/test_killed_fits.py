"""Fits that are killed or interrupted end with the weights and metrics of one that is not."""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter

import pytest
import torch
import yaml
from lightning.fabric.plugins.environments.lightning import find_free_network_port
from lightning.pytorch.utilities import rank_zero_only
from mlflow import MlflowClient

from callbacks import interruption
from lightning_app.main import main
from lightning_app.store import checkpoint_io, metric_buffer
from models import ImageClassifier

CONFIG = {
    "data": {
        "class_path": "SyntheticDataModule",
        "init_args": {
            "num_images": 80,
            "batch_size": 8,
            "num_workers": 1,
            "augmentation": "light",
        },
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {
            "backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}},
            "head": {"class_path": "Head", "init_args": {"dropout": 0.3}},
            "lr_scheduler": {"class_path": "CosineDecay"},
        },
    },
    "trainer": {
        "max_epochs": 3,
        "accelerator": "cpu",
        "log_every_n_steps": 2,
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "killed"}},
    },
    "last_checkpoint": {"every_n_train_steps": 3},
    "pictures": {"budget": 0},
    "report": False,
}
MEASURED = ("time/", "memory/")  # begin metrics whose values depend on the machine
FORK = multiprocessing.get_context("fork")  # saves the time for imports


class Fits:
    """Runs fits of one run in processes of their own, in a folder."""

    def __init__(self, folder, mixup=0.4, **trainer):
        self.folder = folder
        data = CONFIG["data"]["init_args"] | {"options": {"mixup": mixup}}
        config = CONFIG | {"trainer": CONFIG["trainer"] | trainer}
        config["data"] = CONFIG["data"] | {"init_args": data}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))

    def start(self, fault=lambda: None):
        process = FORK.Process(target=self._run, args=(self.last is not None, fault))
        process.start()
        return process

    def run(self, fault=lambda: None):
        """Run a fit to its end; the exit status."""
        process = self.start(fault)
        process.join()
        return process.exitcode

    def _run(self, resumes, fault):
        os.setsid()  # as in a terminal of its own, where Ctrl-C reaches the workers, too
        os.chdir(self.folder)
        fault()
        main(["fit", "--config", "config.yaml", *(["--ckpt_path", "last"] if resumes else [])])

    @property
    def last(self):
        return next(iter(self.folder.glob("mlruns/checkpoints/*/*/last.ckpt")), None)

    @property
    def saved(self):
        """When the last checkpoint was saved; 0 if there is none."""
        return 0 if self.last is None else self.last.stat().st_mtime_ns

    def wait_for_checkpoint(self, before=0):
        while self.saved == before:
            time.sleep(0.01)

    def checkpoint(self):
        return torch.load(self.last, weights_only=True)

    def points(self):
        """Each point of each metric, with how often it is there; measured ones without values."""
        client = MlflowClient(f"sqlite:///{self.folder / 'mlruns' / 'mlflow.db'}")
        experiment = client.get_experiment_by_name("killed")
        [run] = client.search_runs([experiment.experiment_id])
        assert run.info.status == "FINISHED"
        names = [name for name in run.data.metrics if not name.startswith("system/")]
        return Counter(
            (name, point.step, 0 if name.startswith(MEASURED) else point.value)
            for name in names
            for point in client.get_metric_history(run.info.run_id, name)
        )


def at_step(number, action, method="training_step"):
    """Fault: after the forward pass of a step, or of a validation after so many steps."""

    def patch():
        original = getattr(ImageClassifier, method)

        def step(self, batch, batch_idx):
            outputs = original(self, batch, batch_idx)
            if self.trainer.global_step == number and not self.trainer.sanity_checking:
                action()
            return outputs

        setattr(ImageClassifier, method, step)

    return patch


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def press_ctrl_c():
    os.killpg(0, signal.SIGINT)


def press_ctrl_c_twice():
    press_ctrl_c()
    time.sleep(0)  # Python handles signals between two instructions
    press_ctrl_c()


def sending_at_once(fault):
    """The same fault, and each metric is sent as soon as it is logged."""

    def patch():
        metric_buffer.FLUSH_SECONDS = 0.0
        fault()

    return patch


def half_written_at(step):
    """Fault: killed when half of a checkpoint is written."""

    def patch():
        original = torch.save

        def save(content, stream):
            if content["global_step"] == step:
                original(content, stream)
                stream.truncate(stream.tell() // 2)
                kill()
            original(content, stream)

        checkpoint_io.torch.save = save

    return patch


def after_the_last_step():
    ImageClassifier.on_train_end = lambda _: kill()


def assert_same(fits, uninterrupted):
    ours, theirs = fits.checkpoint(), uninterrupted.checkpoint()
    assert ours["global_step"] == theirs["global_step"]
    torch.testing.assert_close(ours["state_dict"], theirs["state_dict"], rtol=0, atol=0)
    ours, theirs = (each["optimizer_states"][0]["state"] for each in (ours, theirs))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    ours, theirs = (each.checkpoint().get("training_dynamics") for each in (fits, uninterrupted))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    assert fits.points() == uninterrupted.points()


@pytest.fixture(scope="module")
def uninterrupted(in_new_folder):
    """A fit of three epochs of six steps that nothing happens to.

    It runs in this process, so that those that are forked for the others need no imports.
    """
    with in_new_folder("uninterrupted") as folder:
        fits = Fits(folder)
        main(["fit", "--config", "config.yaml"])
    assert fits.checkpoint()["global_step"] == 18
    return fits


def test_killed_and_interrupted_fit_equals_one_that_was_not(uninterrupted, workplace):
    fits, killed, ended = Fits(workplace), (-signal.SIGKILL,), (1, 130)
    faults = (  # with possible exit statuses, and the step of the checkpoint that is left
        (sending_at_once(at_step(5, kill)), killed, 3),
        (half_written_at(9), killed, 6),
        (at_step(8, press_ctrl_c_twice), ended, 6),  # at once: nothing is saved within a step
        (at_step(10, press_ctrl_c), ended, 11),
        (at_step(12, kill, "validation_step"), killed, 12),
        (after_the_last_step, killed, 18),
    )
    for fault, status, saved in faults:
        assert fits.run(fault) in status
        assert fits.checkpoint()["global_step"] == saved
    assert fits.run() == 0
    assert_same(fits, uninterrupted)


@pytest.mark.slow
def test_fit_killed_twenty_times_at_random_equals_one_that_was_not(in_new_folder, workplace):
    """About two minutes. Prints the figures for docs/reliability.md."""
    epochs, kills, generator = 60, 20, random.Random(0)
    with in_new_folder("uninterrupted") as folder:
        whole = Fits(folder, max_epochs=epochs)
        process = whole.start()
        whole.wait_for_checkpoint()
        started = time.perf_counter()
        process.join()
    seconds = time.perf_counter() - started
    fits, places = Fits(workplace, max_epochs=epochs), []
    while len(places) < kills:
        before, process = fits.saved, fits.start()
        for _ in range(generator.randint(1, 5)):  # of 120: a slow machine has as many
            fits.wait_for_checkpoint(before)
            before = fits.saved
        process.join(generator.uniform(0, seconds / 120))
        assert process.is_alive(), f"The fit ended after {len(places)} kills."
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        places.append(fits.checkpoint()["global_step"])
    assert fits.run() == 0
    assert_same(fits, whole)
    points = fits.points()
    print(f"{epochs} epochs, {seconds:.0f} s; killed after the checkpoints of steps {places}")
    print(f"{len({name for name, *_ in points})} metrics, {points.total()} points, all equal")


class FitsOfTwo(Fits):
    """The same with two processes for each fit, started as `torchrun` does."""

    def __init__(self, folder):
        # Mixed images would have no training dynamics.
        super().__init__(folder, mixup=0, devices=2, strategy="ddp")

    def run(self, *faults):
        """Run a fit, with a fault for each of the processes; their exit statuses."""
        resumes, port = self.last is not None, find_free_network_port()
        ranks = enumerate(faults or [lambda: None] * 2)
        processes = [
            FORK.Process(target=self._run_rank, args=(rank, port, resumes, fault))
            for rank, fault in ranks
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        return [process.exitcode for process in processes]

    def _run_rank(self, rank, port, resumes, fault):
        settings = {"LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ.update(settings)
        rank_zero_only.rank = rank
        interruption.AGREED = 2
        self._run(resumes, fault)


@pytest.mark.slow
def test_ctrl_c_reaches_two_processes_at_different_steps(in_new_folder, workplace):
    with in_new_folder("uninterrupted") as folder:
        whole = FitsOfTwo(folder)
        assert whole.run() == [0, 0]
    fits = FitsOfTwo(workplace)
    assert min(fits.run(at_step(3, press_ctrl_c), at_step(4, press_ctrl_c))) > 0
    assert fits.checkpoint()["global_step"] == 5  # the third batch of the second epoch is next
    assert fits.run() == [0, 0]
    assert_same(fits, whole)
