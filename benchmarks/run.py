"""All benchmarks that this machine can run, with small settings, in ten minutes.

    uv run python benchmarks/run.py
    uv run python benchmarks/run.py --only explanations overheads

A script takes part if it has `QUICK`, the arguments for a short run; `LEFT_OUT` says why another
does not. Each runs in a process and a folder of its own. What it prints is shown; the JSON file has
all results, and the Markdown file beside it all tables. A script that fails stops no other, but the
exit status is then 1. Small settings make figures coarse: those of docs/speed.md come from the
scripts themselves.
"""

import argparse
import ast
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from processes import run_limited
from results import table
from rounds import FOLDER, machine, write_json

HERE = Path(__file__).parent
QUICK, LEFT_OUT = "QUICK", "LEFT_OUT"
NO_SETTING = f"has no {QUICK}, the arguments for a short run"
MAIN = 'if __name__ == "__main__"'
SHORTEST = 5.0  # that are worth a start
LOG_LINES = 5  # that are shown of a script which failed


def main(args: Sequence[str] | None = None) -> int:
    """Run the scripts; 1 if one failed."""
    options = _options(args)
    scripts = find_scripts(options.scripts)
    if unknown := [name for name in options.only if name not in scripts]:
        raise SystemExit(f"There is no script {unknown[0]}; there are {', '.join(scripts)}.")
    started, results, left_out = time.monotonic(), {}, {}
    for name, setting in scripts.items():
        left = 60 * options.minutes - (time.monotonic() - started)
        if options.only and name not in options.only:
            continue
        if isinstance(setting, str):
            left_out[name] = setting
        elif left < SHORTEST:
            left_out[name] = f"no time was left of {options.minutes:g} minutes"
        else:
            print(f"\n## {name}\n", flush=True)
            results[name] = run(
                options.scripts / f"{name}.py", setting, options, min(left, options.each)
            )
            print(shown(results[name]), flush=True)
    write_json("run", {"scripts": results, "left out": left_out}, options.out)
    page = options.out.with_suffix(".md")
    page.write_text(summary(results, left_out))
    print(f"{page}\n\n{overview(results, left_out)}")
    return int(any(result["problem"] for result in results.values()))


def find_scripts(folder: Path) -> dict[str, list[str] | str]:
    """The scripts of a folder: arguments for a short run, or why there is none."""
    found: dict[str, list[str] | str] = {}
    for file in sorted(folder.glob("*.py")):
        text = file.read_text()
        if MAIN in text and file.resolve() != Path(__file__).resolve():
            named = dict(_constants(ast.parse(text)))
            found[file.stem] = named.get(QUICK, named.get(LEFT_OUT, NO_SETTING))
    return found


def _constants(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """The values of `QUICK` and `LEFT_OUT` in a script, which is not imported."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and target.id in (QUICK, LEFT_OUT):
                yield target.id, ast.literal_eval(node.value)  # pyright: ignore[reportAttributeAccessIssue]


def run(
    script: Path, arguments: list[str], options: argparse.Namespace, seconds: float
) -> dict[str, Any]:
    """Run a script in a folder of its own: what it printed and wrote, and what it took."""
    folder = options.out.resolve().with_suffix("") / script.stem
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / FOLDER / f"{script.stem}.json"
    written.unlink(missing_ok=True)
    printed, log = folder / "printed.txt", folder / "log.txt"
    command = [sys.executable, str(script.resolve()), *arguments]
    ended = run_limited(command, seconds, folder, printed, log)
    lines = printed.read_text(errors="replace").splitlines()
    last = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return {
        "command": " ".join(["benchmarks/" + script.name, *arguments]),
        "seconds": ended.seconds,
        "CPU s": ended.cpu,
        "problem": "\n".join([ended.problem, *last]) if ended.problem else None,
        "printed": "\n".join(line for line in lines if not line.endswith(".json")).strip(),
        "results": json.loads(written.read_text())["results"] if written.is_file() else None,
    }


def shown(result: dict[str, Any]) -> str:
    """What a script printed, what it took, and what went wrong."""
    text = result["printed"]
    if text and not any(line.startswith("|") for line in text.splitlines()):
        text = f"```\n{text}\n```"  # a table that is no Markdown
    took = f"{result['seconds']:.0f} s, {result['CPU s']:.0f} s of CPU"
    problem = f"\n\nIt {result['problem']}" if result["problem"] else ""
    return f"{text}\n\n{took}{problem}"


def summary(results: dict[str, dict[str, Any]], left_out: dict[str, str]) -> str:
    """All tables as Markdown."""
    about = ", ".join(f"{name} {value}" for name, value in machine().items() if value)
    parts = [f"# Benchmarks, small settings\n\nMachine: {about}."]
    for name, result in results.items():
        parts.append(f"## {name}\n\n`uv run python {result['command']}`\n\n{shown(result)}")
    return "\n\n".join([*parts, f"## Overview\n\n{overview(results, left_out)}\n"])


def overview(results: dict[str, dict[str, Any]], left_out: dict[str, str]) -> str:
    """A line per script: what it took, or why it was left out."""
    rows = [
        {"script": name, "s": result["seconds"], "CPU s": result["CPU s"]}
        | {"ended": (result["problem"] or "well").splitlines()[0]}
        for name, result in results.items()
    ]
    rows += [{"script": name, "ended": f"left out: {why}"} for name, why in left_out.items()]
    return table(rows)


def _options(args: Sequence[str] | None) -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these scripts")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all of them; 10")
    parser.add_argument("--each", type=float, default=200.0, help="seconds of a script at most")
    parser.add_argument("--out", type=Path, default=FOLDER / "run.json", metavar="FILE")
    parser.add_argument("--scripts", type=Path, default=HERE, help=argparse.SUPPRESS)
    return parser.parse_args(args)


if __name__ == "__main__":
    raise SystemExit(main())
