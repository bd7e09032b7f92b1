"""Random numbers that depend on their place in the training, not on earlier draws."""

import os
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from lightning.pytorch import Trainer

AT_ONCE = 100  # seeds; one in each step, NumPy's code would not be in the processor's cache


def reseed(device: torch.device, *place: int) -> None:
    """Seed torch's generators from a place, such as (seed, epoch, batch, rank).

    Args:
        device: Device whose generator is seeded, besides that of the CPU.
        place: Non-negative numbers, from which the seed follows.
    """
    _reseed(device, seed_of(place))


def reseed_step(trainer: Trainer, batch_idx: int) -> None:
    """Seed torch's generators for a training step from its epoch, batch and process.

    So a run that was interrupted repeats bit for bit, and random numbers that validation or a
    callback draws between two steps do not change it.
    """
    seed = int(os.environ.get("PL_GLOBAL_SEED", "0"))  # set by `seed_everything`
    block, number = divmod(batch_idx, AT_ONCE)
    seeds = _step_seeds(seed, trainer.current_epoch, block, trainer.global_rank)
    _reseed(trainer.strategy.root_device, seeds[number])


def seed_of(place: Sequence[int]) -> int:
    """The seed that follows from a place."""
    return int(np.random.SeedSequence(place).generate_state(1)[0])


@lru_cache(maxsize=1)
def _step_seeds(seed: int, epoch: int, block: int, rank: int) -> list[int]:
    batches = range(block * AT_ONCE, (block + 1) * AT_ONCE)
    return [seed_of((seed, epoch, batch, rank)) for batch in batches]


def _reseed(device: torch.device, seed: int) -> None:
    # Not `torch.manual_seed`, which formats three stack traces where there is no GPU: 0.9 ms.
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)
