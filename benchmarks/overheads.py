"""Overheads: what this project adds to the work that has to be done, as ratios.

    uv run python benchmarks/overheads.py --out overheads.json

Each row compares CPU times of ours and of a bare reference, in alternating rounds of one process or
of processes that run one after another, and takes medians: other load of the machine affects both
alike. Prints a table, and writes it with the machine as JSON. `--rows metrics start` measures only
some. Steps of a fit at 20 ms and 4 ms are `step`, see `training_overhead.py`.
"""

import sys
from contextlib import redirect_stdout

import torch
from overhead_rows import MEASURED, Row
from results import options_of
from rounds import write_json

QUICK = ["--rows", "helps", "metrics", "logger", "augmentation"]


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| what | ours | reference | ratio | aim |", "|---|--:|--:|--:|--:|"]
    for row in rows:
        bare = "" if row.reference is None else f"{row.reference:.3g} {row.unit}"
        ratio = "" if row.reference is None else f"{row.value:.3f}"
        unit = row.unit if row.reference is None else ""
        lines.append(
            f"| {row.what} | {row.ours:.3g} {row.unit} | {bare} | {ratio} | ≤ {row.aim:g} {unit} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    parser = options_of(__doc__)
    parser.add_argument("--rows", nargs="+", choices=MEASURED, default=list(MEASURED))
    options = parser.parse_args()
    torch.set_num_threads(1)
    with redirect_stdout(sys.stderr):
        rows = [row for name in options.rows for row in MEASURED[name]()]
    print(table(rows))
    found = [row._asdict() | {"value": row.value} for row in rows]
    write_json("overheads", found, options.out)


if __name__ == "__main__":
    main()
