"""All that can only be measured on a GPU, in ten minutes: prints as it goes, and stores each part.

    uv run python benchmarks/gpu.py --faces FILE.csv
    uv run python benchmarks/gpu.py --parts waits resnet50 --minutes 4
    uv run python benchmarks/gpu.py --tiny               # tries everything, also on a CPU

Each part runs in a process of its own, with a time limit; one that fails stops no other. The rows
of a part are in OUT/NAME.json as soon as they are measured, those of all parts in OUT/gpu.json, and
what a part prints is in OUT/NAME.log. docs/speed.md says what the rows mean. The published systems
with their own data are measured by `gpu_systems.py`.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from processes import run_limited
from results import Row, table
from rounds import FOLDER, write_json

LEFT_OUT = "needs a GPU"
PARTS = {  # the most important first: the module that has a function of this name, and its seconds
    "waits": ("gpu_waits", 60),
    "resnet50": ("gpu_training", 240),
    "overflow": ("gpu_overflow", 40),
    "resume": ("gpu_resume", 80),
    "sheets": ("gpu_sheets", 60),
    "options": ("gpu_options", 50),
    "unfreezing": ("gpu_unfreezing", 120),
    "pictures": ("gpu_pictures", 100),
    "vit": ("gpu_training", 150),
    "faces": ("gpu_faces", 140),
}
SHORTEST = 15  # seconds that are worth the start of a part
LOG_LINES = 4  # that are shown of a part which failed


def main(args: Sequence[str] | None = None) -> int:
    """Measure the parts; 1 if one failed."""
    options = _options(args)
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.one:
        return measure(options.one, options)
    started, results = time.monotonic(), {}
    for part in options.parts:
        left = 60 * options.minutes - (time.monotonic() - started)
        limit = left if options.tiny else min(PARTS[part][1], left)  # a CPU may be slow
        results[part] = result = start(part, options, limit)
        print(f"\n## {part}: {result['seconds']:.0f} s, {result.get('device', 'not started')}\n")
        if result["rows"]:
            print(table(result["rows"]))
        for kind in ("left out", "failed"):
            if kind in result:
                print(f"\n{kind}: {result[kind]}")
        sys.stdout.flush()
        write_json("gpu", {"tiny": options.tiny, "parts": results}, options.out / "gpu.json")
    return int(any("failed" in result for result in results.values()))


def start(part: str, options: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """Measure a part in a process of its own: its rows, and what went wrong."""
    if seconds < SHORTEST:
        return {"rows": [], "seconds": 0.0, "left out": "no time is left; see --minutes"}
    stored, log = options.out / f"{part}.json", options.out / f"{part}.log"
    stored.unlink(missing_ok=True)
    command = [sys.executable, __file__, "--one", part, "--out", str(options.out)]
    command += ["--tiny"] if options.tiny else []
    command += ["--faces", str(options.faces.resolve())] if options.faces else []
    ended = run_limited(command, seconds, options.out, options.out / f"{part}.txt", log)
    found: dict[str, Any] = json.loads(stored.read_text()) if stored.is_file() else {"rows": []}
    if ended.problem and "failed" not in found:
        last = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        found["failed"] = "; ".join([ended.problem, f"see {log}", *last])
    return found | {"seconds": ended.seconds}


def measure(part: str, options: argparse.Namespace) -> int:
    """Measure a part in this process, and store its rows one by one."""
    from gpu_machine import LeftOut, Settings

    settings = Settings(options.out / "files" / part, options.tiny, faces=options.faces)
    rows: list[Row] = []
    result: dict[str, Any] = {"device": settings.name, "rows": rows}
    settings.folder.mkdir(parents=True, exist_ok=True)
    try:
        for row in getattr(import_module(PARTS[part][0]), part)(settings):
            rows.append(row)
            _store(result, options.out / f"{part}.json")
    except LeftOut as reason:
        result["left out"] = str(reason)
    except (Exception, SystemExit) as error:
        result["failed"] = f"{type(error).__name__}: {error}"
        _store(result, options.out / f"{part}.json")
        raise
    _store(result, options.out / f"{part}.json")
    return 0


def _store(result: dict[str, Any], file: Path) -> None:
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(json.dumps(result))
    unfinished.replace(file)


def _options(args: Sequence[str] | None) -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="NAME")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all parts; 10")
    parser.add_argument("--tiny", action="store_true", help="tiny networks: measures nothing")
    parser.add_argument("--faces", type=Path, metavar="FILE", help="CSV of S3's training rows")
    parser.add_argument("--out", type=Path, default=FOLDER / "gpu", help="folder to write to")
    parser.add_argument("--one", choices=PARTS, help=argparse.SUPPRESS)
    return parser.parse_args(args)


if __name__ == "__main__":
    raise SystemExit(main())
