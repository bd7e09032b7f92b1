"""Callbacks that make faults happen in a fit; a configuration names them as `faulty.<class>`."""

import multiprocessing
import os
import resource
import signal
from pathlib import Path

from lightning.pytorch import Callback


class AtStep(Callback):
    """Does something in one step of one process."""

    def __init__(self, step=2, rank=0):
        self.step, self.rank = step, rank

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        if trainer.global_step == self.step and trainer.global_rank == self.rank:
            self.act(trainer)


class Raise(AtStep):
    """Raises an error."""

    def act(self, trainer):
        raise RuntimeError(f"boom in process {self.rank}\nand a second line")


class Signal(AtStep):
    """Sends a signal to its own process."""

    def __init__(self, name="SIGKILL", step=2, rank=0):
        super().__init__(step, rank)
        self.number = getattr(signal, name)

    def act(self, trainer):
        os.kill(os.getpid(), self.number)


class SecondInterrupt(Callback):
    """Presses Ctrl-C again while the first one is handled."""

    def on_exception(self, trainer, module, error):
        os.kill(os.getpid(), signal.SIGINT)
        Path("still-running").touch()


class KillWorker(AtStep):
    """Kills a process that loads images."""

    def act(self, trainer):
        for child in multiprocessing.active_children():
            child.kill()  # and torch itself waits for it


class FullDisk(Callback):
    """From an epoch on, no file can grow to the size of a checkpoint; the store is smaller."""

    def __init__(self, epoch=1):
        self.epoch = epoch

    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == self.epoch:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
