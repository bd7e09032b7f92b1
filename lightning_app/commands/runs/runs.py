"""The command `lightning_cli runs`: list runs with their states, and close those that died."""

import argparse
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run

from lightning_app.commands.runs.run_state import RunState, state_of
from lightning_app.output.console import Column, print_table
from lightning_app.store.locations import ROOT, folder_of
from lightning_app.store.run_file import FILE, set_status
from lightning_app.store.runs import find_run, name_with_id, newest_runs, open_store

DESCRIPTION = """\
List runs, the newest first: whether each is running, finished, failed, was stopped, or died without
a word, as after `kill -9` or a power cut; its last epoch and best score; and how to resume it.
"""
COLUMNS = [
    Column("run"),
    Column("experiment"),
    Column("state", wrap=True),
    Column("epoch", "right"),
    Column("best"),
    Column("started"),
]
DIED = "died"


def runs(args: list[str]) -> None:
    """Print the table, or close runs.

    Args:
        args: The command line after `runs`.

    Raises:
        ValueError: If there is no such run, or a run to close is running.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parser().parse_args(args)
    client = open_store()
    if options.close is not None:
        _close(client, options.close, options.number)
        return
    found = [state_of(client, run) for run in newest_runs(client, options.number, options.all)]
    if not found:
        print("There is no run in the store yet. Start one with `lightning_cli fit`.")
        return
    print_table(COLUMNS, [state.row() for state in found])
    for state in found:
        if state.can_resume:
            print(f"Resume {state.name}: {state.resume}")
    if any(state.state == DIED for state in found):
        print("Close those that died: lightning_cli runs --close")


def _close(client: MlflowClient, wanted: list[str], number: int) -> None:
    """Set the end state of the named runs, or of all that died."""
    if wanted:
        chosen = [state_of(client, find_run(client, name)) for name in wanted]
    else:
        listed = newest_runs(client, number, children=True)
        chosen = [state for run in listed if (state := state_of(client, run)).state == DIED]
    if not chosen:
        print("No run has died.")
    for state in chosen:
        _close_one(client, state)


def _close_one(client: MlflowClient, state: RunState) -> None:
    run, name = state.run, name_with_id(state.run)
    if state.state == "running":
        raise ValueError(f"The run {name} is running; stop its process first.")
    folder = folder_of(ROOT, state.experiment, run)
    client.set_terminated(run.info.run_id, "KILLED", _last_sign(folder, run))
    set_status(folder, "KILLED")
    for unfinished in folder.glob(".*.tmp"):
        unfinished.unlink(missing_ok=True)
    print(f"Closed      {name}")


def _last_sign(folder: Path, run: Run) -> int:
    """When a run was seen alive for the last time, in milliseconds."""
    files = [folder / FILE, *folder.glob("*.ckpt")]
    times = [int(file.stat().st_mtime * 1000) for file in files if file.is_file()]
    return max(times, default=run.info.start_time)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli runs", description=DESCRIPTION)
    parser.add_argument("--number", type=int, default=20, help="how many of the newest runs (20)")
    parser.add_argument("--all", action="store_true", help="also the child runs of ablations")
    parser.add_argument(
        "--close",
        nargs="*",
        metavar="RUN",
        help="mark runs as stopped: the named ones, or all that died",
    )
    return parser
