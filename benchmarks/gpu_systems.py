"""The four published systems, as published and with their better recipes, in given minutes.

    uv run python benchmarks/gpu_systems.py --faces FILE --scenes DIR --simpsons DIR

Each configuration is trained by `lightning_cli fit` without pictures, and its best checkpoint is
tested. The time that is left is divided among the configurations that are left, the fastest first,
so that what one does not need goes to the others. A fit that runs out of time is cut: it is then
the beginning of the published training, and its row says how many epochs were done. Accuracies have
95 % intervals (Wilson). Rows are printed, and written to systems.json, one by one.

FILE has S3's training rows (`label,feature`), the last 2,000 of which are its test images; others
choose the epoch. The scenes are in S2's layout (images/ and three CSV files), or in class folders
below train/ and test/. The characters are in class folders, of which S1 gets a balanced copy.
Pretrained weights are searched by the name of the network, such as resnet152-f82ba261.pth. Where
there are none, a network starts from random weights, and the table says so.
"""

import argparse
import gc
import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from gpu_systems_data import DATA, SYSTEMS, System
from gpu_systems_fit import Row, measure

from datamodules.atomic_files import atomic_write

LEFT_OUT = "needs a GPU, and the data of the published systems"
SHORTEST = 10.0  # seconds that every fit gets
COLUMNS = {  # width and format of each column of the table, by its key in a row
    "system": (6, ""),
    "config": (26, ""),
    "images": (7, ","),
    "classes": (7, ""),
    "weights": (10, ""),
    "epochs": (6, ".2f"),
    "of": (3, ""),
    "accuracy": (8, ".4f"),
    "low": (6, ".4f"),
    "high": (6, ".4f"),
    "seconds": (7, ".0f"),
    "s/epoch": (7, ".1f"),
    "images/s": (8, ",.0f"),
    "peak GiB": (8, ".2f"),
}


def main(args: Sequence[str] | None = None) -> int:
    """Measure the systems whose data are given; 1 if one of them failed."""
    return run(_options(args))


def _options(args: Sequence[str] | None) -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    for name, what in DATA.items():
        parser.add_argument(f"--{name}", type=Path, metavar="PATH", help=what)
    parser.add_argument(
        "--weights",
        type=Path,
        default=Path(torch.hub.get_dir()) / "checkpoints",
        help="folder of ImageNet weights; torch's own if not given",
    )
    parser.add_argument("--configs", nargs="+", metavar="NAME", help="only these configurations")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all of them; 10")
    parser.add_argument("--one_batch", action="store_true", help="try everything, measure nothing")
    parser.add_argument("--out", type=Path, default=Path("mlruns/gpu"), help="folder to write to")
    return parser.parse_args(args)


def run(options: argparse.Namespace) -> int:
    """Measure the systems whose data are given; 1 if one of them failed."""
    started, rows = time.monotonic(), []
    options.out.mkdir(parents=True, exist_ok=True)
    for name in (*DATA, "weights", "out"):
        if (path := getattr(options, name)) is not None:
            setattr(options, name, path.resolve())
    chosen = choose(options)
    print(header(), flush=True)
    for number, system in enumerate(chosen):
        left = 60 * options.minutes - (time.monotonic() - started)
        seconds = max(left / (len(chosen) - number), SHORTEST)
        rows.append(measured_or_error(system, options, seconds))
        write(rows, options)
        print(line(rows[-1]), flush=True)
        gc.collect()  # trainers are reference cycles, which hold the memory of the GPU
        torch.cuda.empty_cache()
    return int(any("error" in row for row in rows))


def choose(options: argparse.Namespace) -> list[System]:
    """The systems to measure; a line is printed for each whose data are not given.

    Raises:
        SystemExit: If a path or a configuration does not exist.
    """
    names = [system.config for system in SYSTEMS]
    if unknown := [name for name in options.configs or () if name not in names]:
        raise SystemExit(f"There is no system {unknown[0]}; there are {', '.join(names)}.")
    for name in DATA:
        path = getattr(options, name)
        if path is not None and not path.exists():
            raise SystemExit(f"--{name}: there is no {path}.")
    wanted = [system for system in SYSTEMS if system.config in (options.configs or names)]
    for system in wanted:
        if getattr(options, system.data) is None:
            print(f"{system.name} {system.config}: skipped, no --{system.data}")
    return [system for system in wanted if getattr(options, system.data) is not None]


def measured_or_error(system: System, options: argparse.Namespace, seconds: float) -> Row:
    """The row of a system; if it fails, the others are measured nevertheless."""
    row = {"system": system.name, "config": system.config}
    try:
        return row | measure(system, options, seconds)
    except (Exception, SystemExit) as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise
        return row | {"error": f"{type(error).__name__}: {error}"}


def write(rows: list[Row], options: argparse.Namespace) -> None:
    """Write all rows so far to systems.json, in place of those before."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    about = {"device": device, "torch": torch.__version__, "one_batch": options.one_batch}
    with atomic_write(options.out / "systems.json") as unfinished:
        unfinished.write_text(json.dumps(about | {"rows": rows}, indent=1))


def header() -> str:
    """The first line of the table."""
    return "  ".join(f"{name:>{width}}" for name, (width, _) in COLUMNS.items())


def line(row: Row) -> str:
    """A line of the table; the error in place of what was not measured."""
    cells = [
        f"{'-' if row[name] is None else format(row[name], form):>{width}}"
        for name, (width, form) in COLUMNS.items()
        if name in row
    ]
    return "  ".join([*cells, row.get("error", "")]).rstrip()


if __name__ == "__main__":
    raise SystemExit(main())
