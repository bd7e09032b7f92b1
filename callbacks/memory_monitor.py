"""Memory monitor: peak memory of training."""

import re
import resource
import sys
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from callbacks.tracking import log_metric, log_tag

MIB = 2**20  # bytes
METRIC, TAG = "memory/peak", "memory.of"


class MemoryMonitor(Callback):
    """Log `memory/peak` after each epoch: the largest memory of training so far, in MiB.

    On a GPU it is what PyTorch had allocated at once for training steps: weights, gradients, state
    of the optimizer, activations; without validation and pictures, the CUDA context, and what
    PyTorch holds in reserve. Elsewhere it is the largest resident memory of the process since its
    start, which includes Python, all libraries, images that are kept in memory, and pictures; not
    that of the workers that load images. The tag `memory.of` of the run says which: `GPU` or
    `process`. With several processes it is that of the first. A resumed fit starts again.
    """

    def __init__(self) -> None:
        self._peak = 0.0
        self._paused = True  # outside of training steps

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tell the run what is measured."""
        log_tag(trainer, TAG, "GPU" if _is_cuda(trainer) else "process")

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Measure from here on, at the start and after a validation."""
        if self._paused and _is_cuda(trainer):
            torch.cuda.reset_peak_memory_stats(trainer.strategy.root_device)
        self._paused = False

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Pause: a fit validates within its epochs."""
        self._pause(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the peak so far. Nothing waits for the GPU: PyTorch counts on the CPU."""
        self._pause(trainer)
        log_metric(trainer, METRIC, self._peak, trainer.current_epoch)

    def _pause(self, trainer: Trainer) -> None:
        if not self._paused:
            self._peak = max(self._peak, _peak(trainer) / MIB)
        self._paused = True


def resident_peak() -> int:
    """Largest resident memory of this process since its start, in bytes."""
    status = Path("/proc/self/status")
    # Linux passes the peak of `getrusage` on to child processes, so it may be that of the parent.
    if status.is_file() and (found := re.search(r"VmHWM:\s*(\d+) kB", status.read_text())):
        return 1024 * int(found[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _peak(trainer: Trainer) -> int:
    if _is_cuda(trainer):
        return torch.cuda.max_memory_allocated(trainer.strategy.root_device)
    return resident_peak()


def _is_cuda(trainer: Trainer) -> bool:
    return trainer.strategy.root_device.type == "cuda"
