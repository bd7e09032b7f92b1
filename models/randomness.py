"""Random numbers that depend on their place in the training, not on earlier draws."""

import os

import numpy as np
import torch
from lightning.pytorch import Trainer


def reseed(device: torch.device, *place: int) -> None:
    """Seed torch's generators from a place, such as (seed, epoch, batch, rank).

    Args:
        device: Device whose generator is seeded, besides that of the CPU.
        place: Non-negative numbers, from which the seed follows.
    """
    seed = int(np.random.SeedSequence(place).generate_state(1)[0])
    # Not `torch.manual_seed`, which formats three stack traces where there is no GPU: 0.9 ms.
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


def reseed_step(trainer: Trainer, batch_idx: int) -> None:
    """Seed torch's generators for a training step from its epoch, batch and process.

    So a run that was interrupted repeats bit for bit, and random numbers that validation or a
    callback draws between two steps do not change it.
    """
    seed = int(os.environ.get("PL_GLOBAL_SEED", "0"))  # set by `seed_everything`
    device = trainer.strategy.root_device
    reseed(device, seed, trainer.current_epoch, batch_idx, trainer.global_rank)
