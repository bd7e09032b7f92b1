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
from results import Row, options_of, publish
from rounds import cpu_seconds

from callbacks import tracking

QUICK = ["--rounds", "1"]
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


def compare(checkout: Path, rounds: int) -> dict[str, list[float]]:
    """CPU seconds of both checkouts in alternating rounds, the other one's under `…, there`."""
    here = Path(__file__).parent.parent
    seconds: dict[str, list[float]] = {}
    with other_process(here) as ours, other_process(checkout) as theirs:
        for number in range(rounds + 1):
            for (questions, answers), where in ((ours, ""), (theirs, ", there")):
                print("next", file=questions, flush=True)
                for name, [value] in json.loads(answers.readline()).items():
                    seconds.setdefault(f"{name}{where}", []).extend([value] * (number > 0))
    return seconds


def rows_of(seconds: Mapping[str, list[float]], reference: str) -> Iterator[Row]:
    """A row for each figure: CPU milliseconds of both sides and their ratio."""
    for name in FIGURES:
        here, there = seconds[name], seconds[f"{name}, {reference}"]
        row = {
            "figure": name,
            "here ms": 1e3 * median(here),
            f"{reference} ms": 1e3 * median(there),
        }
        yield row | {"ratio": median(b / a for a, b in zip(here, there, strict=True))}


def main() -> None:
    """Publish one row per figure."""
    parser = options_of(__doc__)
    parser.add_argument("--against", type=Path, help="checkout of another version to compare with")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(OTHER, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rounds_on_request:
        answer_requests()
        return
    if options.against:
        rows = rows_of(compare(options.against, options.rounds), "there")
    else:
        rows = rows_of(cpu_seconds(works(reference=True), options.rounds), "usual way")
    publish("figures", [*rows], options.out)


if __name__ == "__main__":
    main()
