"""Peak memory is logged after each epoch, and contains what a step needed."""

import numpy as np
import psutil
import pytest
import torch
from lightning.pytorch import Callback

from callbacks import MemoryMonitor, memory_monitor
from callbacks.memory_monitor import MIB, resident_peak
from lightning_app.store.run_logger import RunLogger

LARGE = 100  # MiB


class Allocate(Callback):
    """Needs more memory than any step before, in the second epoch."""

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if trainer.current_epoch == 1 and batch_idx == 0:
            free = resident_peak() - psutil.Process().memory_info().rss
            assert np.ones(free + LARGE * MIB, np.uint8).all()


class Counter(Callback):
    """Stands for the memory of a GPU: a step needs 300 MiB and more, a validation 900 MiB."""

    def __init__(self):
        self.peak = 5000  # from before the fit

    def reset(self, device):
        self.peak = 100

    def read(self, device):
        return self.peak * MIB

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.peak = max(self.peak, 300 + trainer.current_epoch)

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.peak = max(self.peak, 900)


@pytest.fixture
def fit(make_classifier, make_trainer, synthetic, workplace, client):
    """Function that trains with a callback; returns the peak after each epoch, and the tag."""

    def run(callback, **options):
        logger = RunLogger("memory")
        callbacks = [callback, MemoryMonitor()]
        trainer = make_trainer(logger=logger, callbacks=callbacks, **options)
        trainer.fit(make_classifier(), synthetic)
        stored = client.get_run(logger.run_id)
        history = client.get_metric_history(logger.run_id, "memory/peak")
        return {point.step: point.value for point in history}, stored.data.tags["memory.of"]

    return run


def test_peak_of_the_process_grows_with_the_memory_of_a_step_and_never_falls(fit):
    peaks, of = fit(Allocate(), max_epochs=3, limit_train_batches=1, limit_val_batches=1)
    assert of == "process"
    assert [*peaks] == [0, 1, 2]
    assert peaks[1] > peaks[0] + 0.9 * LARGE
    assert peaks[2] >= peaks[1]


def test_peak_of_a_gpu_is_that_of_the_training_steps_alone(fit, monkeypatch):
    counter = Counter()
    monkeypatch.setattr(memory_monitor, "_is_cuda", lambda trainer: True)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", counter.reset)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", counter.read)
    few = {"limit_train_batches": 4, "limit_val_batches": 1, "val_check_interval": 2}
    peaks, of = fit(counter, max_epochs=2, num_sanity_val_steps=1, **few)
    assert (peaks, of) == ({0: 300, 1: 301}, "GPU")


def test_peak_of_this_process_is_no_smaller_than_what_it_holds_now():
    assert resident_peak() >= psutil.Process().memory_info().rss
