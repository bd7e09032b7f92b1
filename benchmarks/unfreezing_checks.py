"""Checks of unfreezing callbacks, each by training with them; see `unfreezing.py`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.optim import lr_scheduler as schedulers
from unfreezing_callbacks import (
    EPOCHS,
    LEARNING_RATE,
    UNFREEZE_EPOCH,
    LearningRateRecorder,
    MakeCallback,
    State,
    fit,
    make_classifier,
    small_cnn,
)

from models import ImageClassifier


def changed_tensors(before: State, after: State) -> set[str]:
    """Names of the tensors that are not equal bit by bit."""
    return {name for name in before if not before[name].equal(after[name])}


def initial_classifier(make_callback: MakeCallback) -> ImageClassifier:
    """The classifier as it is before a fit."""
    return make_classifier(make_callback, small_cnn())


def frozen_statistics_do_not_change(make_callback: MakeCallback, folder: Path) -> bool:
    """Whether batch norms keep their running statistics until everything trains."""
    before = initial_classifier(make_callback).state_dict()
    changed = changed_tensors(before, fit(make_callback, folder, UNFREEZE_EPOCH))
    return not any("running" in name for name in changed)


def frozen_convolutions_do_not_change(make_callback: MakeCallback, folder: Path) -> bool:
    """Whether convolutions keep their weights, in spite of momentum and weight decay.

    Other weights do not count, since some callbacks train norms from the start.
    """
    before = initial_classifier(make_callback).state_dict()
    changed = changed_tensors(before, fit(make_callback, folder, UNFREEZE_EPOCH))
    return not any("conv" in name for name in changed)


def resuming_before_unfreezing_is_exact(make_callback: MakeCallback, folder: Path) -> bool:
    """Whether a fit stopped after its first epoch and resumed equals an uninterrupted fit."""
    uninterrupted = fit(make_callback, folder)
    fit(make_callback, folder, 1)
    return not changed_tensors(uninterrupted, fit(make_callback, folder, resume=True))


def everything_trains_after_resuming(make_callback: MakeCallback, folder: Path) -> bool:
    """Whether every parameter changes if a fit is resumed after the epoch that unfroze it."""
    stopped = fit(make_callback, folder, UNFREEZE_EPOCH + 1)
    changed = changed_tensors(stopped, fit(make_callback, folder, resume=True))
    return changed >= {name for name, _ in initial_classifier(make_callback).named_parameters()}


def resuming_after_unfreezing_is_exact(make_callback: MakeCallback, folder: Path) -> bool:
    """Whether a fit stopped after the epoch that unfroze everything equals an uninterrupted fit."""
    uninterrupted = fit(make_callback, folder)
    fit(make_callback, folder, UNFREEZE_EPOCH + 1)
    return not changed_tensors(uninterrupted, fit(make_callback, folder, resume=True))


def scheduler_applies_to_all_groups(
    make_lr_scheduler: Any, make_callback: MakeCallback, folder: Path
) -> bool:
    """Whether the scheduler multiplies the rates of old and new groups by the same factor.

    The factor is that of the last epoch.
    """
    recorder = LearningRateRecorder()
    fit(make_callback, folder, make_lr_scheduler=make_lr_scheduler, recorder=recorder)
    before, after = recorder.rates[-2:]
    factors = {round(new / old, 6) for old, new in zip(before, after, strict=True)}
    return len(factors) == 1 and factors != {1.0}


def zero_biases_train(make_callback: MakeCallback, folder: Path) -> bool:
    """Whether biases of batch norms train, all of which are zero when they are unfrozen."""
    before = initial_classifier(make_callback).state_dict()
    zeros = {n for n in before if n.endswith("norm.bias") and not before[n].any()}
    return bool(zeros) and zeros <= changed_tensors(before, fit(make_callback, folder))


def two_processes_equal_one(make_callback: MakeCallback, folder: Path) -> bool:
    """Whether two processes with half the batch size reach the weights of one, to 1e-6."""
    one, two = (fit(make_callback, folder, processes=number) for number in (1, 2))
    return all(torch.allclose(two[n], one[n], rtol=0, atol=1e-6) for n in one)


ONE_CYCLE = partial(schedulers.OneCycleLR, max_lr=LEARNING_RATE, total_steps=EPOCHS + 2)
LAMBDA = partial(schedulers.LambdaLR, lr_lambda=lambda epoch: 0.9**epoch)
CHECKS: dict[str, Callable[[MakeCallback, Path], bool]] = {
    "frozen batch-norm statistics do not change": frozen_statistics_do_not_change,
    "frozen convolutions do not change": frozen_convolutions_do_not_change,
    "resumed before unfreezing: same result": resuming_before_unfreezing_is_exact,
    "resumed after unfreezing: everything trains": everything_trains_after_resuming,
    "resumed after unfreezing: same result": resuming_after_unfreezing_is_exact,
    "OneCycleLR applies to all groups": partial(scheduler_applies_to_all_groups, ONE_CYCLE),
    "LambdaLR applies to all groups": partial(scheduler_applies_to_all_groups, LAMBDA),
    "an all-zero bias trains once unfrozen": zero_biases_train,
    "two processes give the result of one (1e-6)": two_processes_equal_one,
}


def run_check(
    check: Callable[[MakeCallback, Path], bool], make_callback: MakeCallback, folder: Path
) -> str:
    """`yes`, `no`, or the error that training ended with."""
    try:
        return "yes" if check(make_callback, folder) else "no"
    except Exception as error:  # of any kind: that a callback fails is a result
        *_, last = str(error).strip().splitlines() or [""]
        return f"error: {type(error).__name__}: {last}"[:90]
