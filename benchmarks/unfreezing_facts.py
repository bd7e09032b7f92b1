"""Facts about tools that free a network while it trains, found by running them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.optim import lr_scheduler as schedulers
from unfreezing_tools import (
    EPOCHS,
    FREE_AT,
    RATE,
    Rates,
    State,
    Tool,
    classifier_for,
    fit,
    small_cnn,
)

from models import ImageClassifier


def moved(before: State, after: State) -> set[str]:
    """Names of the tensors that differ by a bit."""
    return {name for name in before if not before[name].equal(after[name])}


def start(tool: Tool) -> ImageClassifier:
    """What a fit begins with."""
    return classifier_for(tool, small_cnn())


def statistics_stand_still(tool: Tool, folder: Path) -> bool:
    """Over the epochs before the unfreezing."""
    changed = moved(start(tool).state_dict(), fit(tool, folder, FREE_AT))
    return not any("running" in name for name in changed)


def weights_stand_still(tool: Tool, folder: Path) -> bool:
    """Those of convolutions, under momentum and decay; some tools train norms from the start."""
    changed = moved(start(tool).state_dict(), fit(tool, folder, FREE_AT))
    return not any("conv" in name for name in changed)


def resumes_before(tool: Tool, folder: Path) -> bool:
    """Stopped after the first epoch."""
    whole = fit(tool, folder)
    fit(tool, folder, 1)
    return not moved(whole, fit(tool, folder, resumed=True))


def trains_after(tool: Tool, folder: Path) -> bool:
    """Stopped when everything has trained for an epoch; everything has to move afterwards."""
    stopped = fit(tool, folder, FREE_AT + 1)
    changed = moved(stopped, fit(tool, folder, resumed=True))
    return changed >= {name for name, _ in start(tool).named_parameters()}


def resumes_after(tool: Tool, folder: Path) -> bool:
    """Stopped when everything has trained for an epoch."""
    whole = fit(tool, folder)
    fit(tool, folder, FREE_AT + 1)
    return not moved(whole, fit(tool, folder, resumed=True))


def follows(make_lr_scheduler: Any, tool: Tool, folder: Path) -> bool:
    """The last change of the rates is one factor for all groups, the freed ones too."""
    rates = Rates()
    fit(tool, folder, make_lr_scheduler=make_lr_scheduler, rates=rates)
    before, after = rates.epochs[-2:]
    factors = {round(new / old, 6) for old, new in zip(before, after, strict=True)}
    return len(factors) == 1 and factors != {1.0}


def trains_zero_bias(tool: Tool, folder: Path) -> bool:
    """All shifts of the batch norms are zero when they are freed."""
    before = start(tool).state_dict()
    zeros = {n for n in before if n.endswith("norm.bias") and not before[n].any()}
    return bool(zeros) and zeros <= moved(before, fit(tool, folder))


def two_equal_one(tool: Tool, folder: Path) -> bool:
    """To 1e-6."""
    one, two = fit(tool, folder, processes=1), fit(tool, folder, processes=2)
    return all(torch.allclose(two[n], one[n], rtol=0, atol=1e-6) for n in one)


ONE_CYCLE = partial(schedulers.OneCycleLR, max_lr=RATE, total_steps=EPOCHS + 2)
LAMBDA = partial(schedulers.LambdaLR, lr_lambda=lambda epoch: 0.9**epoch)
FACTS: dict[str, Callable[[Tool, Path], bool]] = {
    "frozen batch-norm statistics stand still": statistics_stand_still,
    "frozen convolutions do (momentum, decay)": weights_stand_still,
    "stopped before, resumed: equals not stopped": resumes_before,
    "stopped after, resumed: everything trains": trains_after,
    "stopped after, resumed: equals not stopped": resumes_after,
    "OneCycleLR goes on for all groups": partial(follows, ONE_CYCLE),
    "LambdaLR goes on for all groups": partial(follows, LAMBDA),
    "an all-zero bias trains when freed": trains_zero_bias,
    "two processes equal one (1e-6)": two_equal_one,
}


def answer(fact: Callable[[Tool, Path], bool], tool: Tool, folder: Path) -> str:
    """Yes, no, or the error that the tool ended with."""
    try:
        return "yes" if fact(tool, folder) else "no"
    except Exception as error:  # of any kind: that a tool fails is the result
        *_, last = str(error).strip().splitlines() or [""]
        return f"error: {type(error).__name__}: {last}"[:90]
