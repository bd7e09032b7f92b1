"""Latency of exported networks, measured in turns so that a busy moment meets all of them."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lightning_app.cli.networks.write_files import Run

WARM_UP = 2  # calls that are not counted
ROUNDS = 50
SECONDS = 20.0  # after which no further round begins


class Latency(NamedTuple):
    """Time of a batch in milliseconds: the median, and the time that 95 % of the calls keep."""

    median: float
    most: float


def latencies(
    networks: Mapping[str, Run], images: np.ndarray, rounds: int = ROUNDS, seconds: float = SECONDS
) -> dict[str, Latency]:
    """Measure the time of a batch.

    Args:
        networks: The networks by name.
        images: The batch, uint8 (N, C, H, W).
        rounds: Calls of each network, at most.
        seconds: Limit for all of them; one round is always measured.
    """
    times: dict[str, list[float]] = {name: [] for name in networks}
    for run in networks.values():
        for _ in range(WARM_UP):
            run(images)
    started = time.perf_counter()
    for number in range(rounds):
        if number and time.perf_counter() - started > seconds:
            break
        for name, run in networks.items():
            before = time.perf_counter()
            run(images)
            times[name].append(1000 * (time.perf_counter() - before))
    return {name: Latency(*np.quantile(each, (0.5, 0.95))) for name, each in times.items()}
