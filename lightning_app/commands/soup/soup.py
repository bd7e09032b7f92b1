"""The command `lightning_cli soup`: average the weights of several runs."""

import argparse
from collections.abc import Sequence

from mlflow import MlflowClient
from mlflow.entities import Run

from callbacks.tracking import store_table
from lightning_app.cli.networks.derived_run import (
    create_derived_run,
    derived_checkpoint,
    key_of,
    record_derived,
)
from lightning_app.cli.networks.ensembles import HYPER_PARAMETERS, sources_of
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.summary import CLI
from lightning_app.commands.soup.candidates import Candidates
from lightning_app.output.console import Column, print_table
from lightning_app.store.checkpoints import find_checkpoint
from lightning_app.store.locations import ROOT
from lightning_app.store.runs import children_of, find_run, name_with_id, open_store
from models.soup import Score, greedy_soup

SOUP = "soup"  # tag of a run: digest of its members
DESCRIPTION = """\
Average the weights of runs with one architecture (Wortsman et al., 2022): the best first, and each
further one only if it improves the validation, on images that none of them was trained on. The
result is one network, as fast as each of them, in a run of its own.
"""
EPILOG = """\
The runs should start from the same pretrained weights: means of networks that were trained from
scratch are useless. Networks of different folds have no validation image in common; --uniform
averages them without a choice.
"""


def soup(args: list[str]) -> None:
    """Average the weights, and print what each run contributes.

    Args:
        args: The command line after `soup`.

    Raises:
        ValueError: If there is no such run, or the networks cannot be averaged.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parser().parse_args(args)
    client = open_store()
    sources = sources_of(client, _members(client, options.runs), ROOT)
    if len(sources) < 2:
        raise ValueError(f"A soup needs two networks or more, got {len(sources)}.")
    candidates = Candidates(sources)
    steps: list[tuple[str, float, float, bool]] = []

    def done(place: int, alone: Score, with_it: Score, kept: bool) -> None:
        steps.append((sources[place].title, alone[0], with_it[0], kept))

    if options.uniform:
        kept = list(range(len(sources)))
    else:
        candidates.unseen()  # refuses networks of different folds at once
        kept = greedy_soup(candidates.weights, candidates.score, done)
    run = _record(client, candidates, kept, [sources[place] for place in kept])
    if steps:
        _log_steps(client, run, steps)
    client.set_terminated(run.info.run_id)
    _print(run, sources, kept, steps)


def _members(client: MlflowClient, wanted: Sequence[str]) -> list[str]:
    """Files of the checkpoints; a single run stands for its child runs."""
    if len(wanted) > 1:
        return [str(find_checkpoint(each)) for each in wanted]
    parent = find_run(client, wanted[0])
    children = [run for run in children_of(client, parent) if run.info.status == "FINISHED"]
    if not children:
        raise ValueError(
            f"The run {parent.info.run_name!r} has no finished child runs; name a parent run, such "
            "as that of `folds`, or two runs or more."
        )
    return [str(find_checkpoint(run.info.run_id)) for run in reversed(children)]


def _record(
    client: MlflowClient, candidates: Candidates, kept: Sequence[int], members: Sequence[Exportable]
) -> Run:
    runs = [member.stored[1] for member in members]
    state = candidates.cook(kept)
    names = [name_with_id(run) for run in runs]
    settings = candidates.checkpoint[HYPER_PARAMETERS]
    checkpoint = derived_checkpoint(candidates.checkpoint, settings, state, names)
    key = key_of([f"{r.info.run_id} {m.epoch}" for r, m in zip(runs, members, strict=True)])
    # Runs that were tried and left out have had a say: their images are not new to the choice.
    tried = [source.stored[1] for source in candidates.sources]
    others = [run for run in tried if run.info.run_id not in {r.info.run_id for r in runs}]
    run = create_derived_run(client, f"soup {key[:4]}", runs[0])
    client.set_tag(run.info.run_id, SOUP, key)
    record_derived(client, run, runs, checkpoint)
    if others:
        client.set_tag(run.info.run_id, "left_out", ", ".join(map(name_with_id, others)))
    return run


def _log_steps(
    client: MlflowClient, run: Run, steps: Sequence[tuple[str, float, float, bool]]
) -> None:
    names = ("network", "accuracy", "accuracy of the soup", "kept")
    columns = {name: [step[place] for step in steps] for place, name in enumerate(names)}
    store_table(client, run.info.run_id, columns, SOUP)


def _print(
    run: Run,
    sources: Sequence[Exportable],
    kept: Sequence[int],
    steps: Sequence[tuple[str, float, float, bool]],
) -> None:
    if steps:
        head = [Column("network"), Column("accuracy", "right"), Column("soup with it", "right")]
        rows = [
            (name, f"{100 * alone:.1f}", f"{100 * soup:.1f}", "kept" if good else "left out")
            for name, alone, soup, good in steps
        ]
        print_table([*head, Column("")], rows, "Validation, in percent")
        if len(kept) == 1:
            print("No other network improves the best one: the soup is that network.")
    print(f"Run         {run.info.run_name}, of {len(kept)} of {len(sources)} networks")
    print(f"Test it     {CLI} test --ckpt_path {run.info.run_id[:6]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "lightning_cli soup", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False
    )
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="two runs or more, or a parent run for its children"
    )
    parser.add_argument(
        "--uniform", action="store_true", help="average all of them, without a choice"
    )
    return parser
