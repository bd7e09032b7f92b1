"""Rounds of a benchmark: what is compared alternates, so that a busy machine slows all alike."""

import json
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path("mlruns/benchmarks")  # inside the folder of runs, which git ignores


def cpu_seconds(work: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each work in each round; all alternate, and one more round warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for number in range(rounds + 1):
        for name, call in work.items():
            started = time.process_time()
            call()
            if number:
                seconds[name].append(time.process_time() - started)
    return seconds


def speeds(title: str, seconds: Mapping[str, list[float]], num_images: int) -> dict[str, Any]:
    """Print a row per work: images per second, and how many times faster it is than the first.

    The ratio is the median of the ratios within a round.

    Returns:
        The rows, for `write_json`.
    """
    first, *_ = seconds.values()
    print(f"\n{title:34} images/s  ratio  range")
    rows = {}
    for name, values in seconds.items():
        low, *_, high = ratios = sorted(a / b for a, b in zip(first, values, strict=True))
        rate, ratio = num_images / median(values), median(ratios)
        print(f"{name:34} {rate:8.1f}  {ratio:5.2f}  {low:.2f} to {high:.2f}")
        rows[name] = {"images/s": rate, "ratio": ratio, "low": low, "high": high}
    return rows


def write_json(name: str, results: Mapping[str, Any]) -> None:
    """Write the results and the machine to `FOLDER`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    machine = {"processor": _processor(), "python": platform.python_version()}
    text = json.dumps({"machine": machine, "results": results}, indent=1)
    (FOLDER / f"{name}.json").write_text(text)
    print(f"\n{FOLDER / name}.json")


def _processor() -> str:
    """The name of the processor, where Linux tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
