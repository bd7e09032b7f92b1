"""Rounds of a benchmark: what is compared alternates, so that a busy machine slows all alike."""

import json
import os
import platform
import sys
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


def speeds(title: str, seconds: Mapping[str, list[float]], num_images: int) -> list[dict[str, Any]]:
    """A row per work: images per second, and how many times faster it is than the first.

    The ratio is the median of the ratios within a round.
    """
    first, *_ = seconds.values()
    rows = []
    for name, values in seconds.items():
        low, *_, high = ratios = sorted(a / b for a, b in zip(first, values, strict=True))
        row = {"what": title, "how": name, "a second": num_images / median(values)}
        rows.append(row | {"ratio": median(ratios), "range": f"{low:.2f} to {high:.2f}"})
    return rows


def write_json(name: str, results: Any, out: Path | None = None) -> None:
    """Write results and the machine as JSON.

    Args:
        name: Name of the script.
        results: What JSON can express.
        out: The file; None for one in `FOLDER`, named after the script.
    """
    file = out or FOLDER / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"machine": machine(), "results": results}, indent=1))
    print(f"\n{file}")


def machine() -> dict[str, Any]:
    """The processor, the GPU if torch finds one, and the versions."""
    found = {"processor": _processor(), "cores": os.cpu_count()}
    found["python"] = platform.python_version()
    if torch := sys.modules.get("torch"):
        found["torch"] = torch.__version__
        found["gpu"] = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return found


def _processor() -> str:
    """The name of the processor, where Linux tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
