"""Cost of the five most frequent figures of a fit, from their arrays to the files in the run.

    uv run python benchmarks/figures.py
    uv run python benchmarks/figures.py --against ../older    # relative to another checkout

Each figure is drawn twice, for MLflow's grid and in full, and encoded as WebP and PNG; its title
changes from round to round, as the epoch does. The reference is Matplotlib's and seaborn's usual
way to draw the full one alone: a heat map with annotations, or a subplot for each image, in a
constrained layout, with `savefig`. Both alternate on one thread. Times are CPU times: medians over
rounds; a ratio is the median of the ratios within a round.
"""

import argparse
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import IO, Any

import numpy as np
from figures_drawn import FIGURES
from PIL import Image
from rounds import cpu_seconds, write_json

from callbacks import tracking

ROUNDS, DPI = 7, 130
OTHER = "--rounds-on-request"


class Client:
    """Encodes the images that MLflow would encode, and stores nothing."""

    def log_artifact(self, *arguments: object) -> None:
        """Take a file."""

    def set_tag(self, *arguments: object) -> None:
        """Take a tag."""

    def log_image(self, run_id: str, image: np.ndarray, artifact_file: str) -> None:
        """Encode an image as MLflow does."""
        Image.fromarray(image).save(io.BytesIO(), Path(artifact_file).suffix[1:])


def works(reference: bool) -> dict[str, Callable[[], object]]:
    """What is measured, by its name, with or without the usual way to draw it."""
    tracking._runs = lambda trainer: [(Client(), "run")]  # pyright: ignore[reportAttributeAccessIssue]
    trainer: Any = SimpleNamespace()
    calls: dict[str, Callable[[], object]] = {}
    for name, make in FIGURES.items():
        ours, usual = make()
        epochs = count(1)
        calls[name] = lambda draw=ours, epochs=epochs: tracking.log_step_figure(
            trainer, draw(f"Epoch {next(epochs)}: 2,000 images"), "val/figure", 0
        )
        if reference:
            calls[f"{name}, usual way"] = lambda draw=usual, epochs=epochs: draw(
                f"Epoch {next(epochs)}: 2,000 images"
            ).savefig(io.BytesIO(), dpi=DPI)
    return calls


def answer_requests() -> None:
    """Measure a round for each line of the standard input."""
    calls = works(reference=False)
    for _ in sys.stdin:
        print(json.dumps(cpu_seconds(calls, 1)), flush=True)


@contextmanager
def other_process(checkout: Path) -> Iterator[tuple[IO[str], IO[str]]]:
    """Input and output of this script with the code of another checkout."""
    environment = os.environ | {"PYTHONPATH": str(checkout.resolve())}
    command = [sys.executable, str(Path(__file__).resolve()), OTHER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, cwd=checkout, **pipes) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdin, process.stdout
        process.stdin.close()


def compare(checkout: Path) -> dict[str, list[float]]:
    """CPU seconds of both checkouts in alternating rounds, the other one's under `…, there`."""
    here = Path(__file__).parent.parent
    seconds: dict[str, list[float]] = {}
    with other_process(here) as ours, other_process(checkout) as theirs:
        for number in range(ROUNDS + 1):
            for (questions, answers), where in ((ours, ""), (theirs, ", there")):
                print("next", file=questions, flush=True)
                for name, [value] in json.loads(answers.readline()).items():
                    seconds.setdefault(f"{name}{where}", []).extend([value] * (number > 0))
    return seconds


def report(seconds: Mapping[str, list[float]], ending: str) -> dict[str, Any]:
    """Print a row for each figure: milliseconds of both sides and their ratio."""
    print(f"{'CPU milliseconds':20}   here  {ending.strip(', '):>9}  ratio")
    rows = {}
    for name in FIGURES:
        here, there = seconds[name], seconds[f"{name}{ending}"]
        ratio = median(b / a for a, b in zip(here, there, strict=True))
        row = {"here": 1e3 * median(here), "reference": 1e3 * median(there), "ratio": ratio}
        print(f"{name:20} {row['here']:6.1f}  {row['reference']:9.1f}  {ratio:5.2f}")
        rows[name] = row
    return rows


def main() -> None:
    """Print one row per figure, and write them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", type=Path, help="checkout of another version to compare with")
    parser.add_argument(OTHER, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rounds_on_request:
        answer_requests()
        return
    if options.against:
        rows = report(compare(options.against), ", there")
    else:
        rows = report(cpu_seconds(works(reference=True), ROUNDS), ", usual way")
    write_json("figures", rows)


if __name__ == "__main__":
    main()
