"""Own callbacks: those that every fit has, besides pictures and what the configuration names."""

from typing import Any, Literal

from jsonargparse import Namespace
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ProgressBar

from callbacks import (
    BestMetricBar,
    FiniteCheck,
    HeadStart,
    Interruption,
    MemoryMonitor,
    Stopwatch,
    UnreadableMonitor,
)

OnNonfinite = Literal["stop", "skip"]
REFRESH_RATE = 10  # steps between two updates of the progress bar


def fit_guards(settings: Namespace) -> list[Callback]:
    """Callbacks of a fit that come before all others."""
    start = [] if settings.ckpt_path else [HeadStart()]  # before WeightAverage
    return [Interruption(), FiniteCheck(settings.on_nonfinite), *start]


def with_progress_bar(trainer: Any) -> list[Callback]:
    """The callbacks that a configuration has chosen, and our progress bar unless it has one.

    Lightning's default, Rich's bar, draws a hundred times a second: a tenth of a 20 ms step.

    Args:
        trainer: Settings of the trainer.
    """
    chosen = trainer.callbacks or []
    chosen = chosen if isinstance(chosen, list) else [chosen]
    own_bar = any(isinstance(callback, ProgressBar) for callback in chosen)
    hidden = own_bar or trainer.enable_progress_bar is False
    return [*chosen, *([] if hidden else [BestMetricBar(REFRESH_RATE)])]


def monitors() -> list[Callback]:
    """Callbacks that log what every epoch takes and cannot read."""
    return [Stopwatch(), MemoryMonitor(), UnreadableMonitor()]
