"""The command `lightning_cli ablate`: train variations of a configuration and compare them."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from datamodules.redaction import redact_text
from lightning_app.cli.child_runs.checks import check_runs
from lightning_app.cli.child_runs.child_run import ChildRunFailed
from lightning_app.cli.child_runs.launcher import Launcher, add_launcher_options, launcher_of
from lightning_app.cli.child_runs.parent_run import (
    Identity,
    ParentRun,
    open_parent_run,
    place_of_file,
)
from lightning_app.cli.child_runs.run_children import Progress, run_children, under_parent
from lightning_app.cli.child_runs.runner import Runner
from lightning_app.commands.ablate.log_results import log_results
from lightning_app.commands.ablate.plan import Plan
from lightning_app.commands.ablate.plan_file import read_plan
from lightning_app.commands.ablate.tables import print_results

DESCRIPTION = """\
Train variations of a configuration with one or more seeds, score them on the same images, and
compare each with the base. The same command resumes an ablation that was stopped: finished runs are
not repeated. Other options of `fit` (--data.root PATH, --trainer.max_epochs 2) apply to all runs.
"""

Experiment = Callable[[ParentRun, Plan, Sequence[str], int | None, Launcher | None], int]


def ablate(args: list[str]) -> None:
    """Run an ablation, or what is left of it.

    Args:
        args: The command line after `ablate`.

    Raises:
        ValueError: If the file or a setting of a run is invalid; no run was started then.
        SystemExit: With 2 if the command line does not parse, with 1 if a run failed, with 130 if
            the command was interrupted.
    """
    options, overrides = _parser().parse_known_args(args)
    launcher = launcher_of(options)
    plan = read_plan(options.file)
    if options.seeds is not None:
        plan = replace(plan, seeds=options.seeds)
    _check_overrides(overrides)
    settings = check_runs(plan.examples(overrides), None if plan.search else plan.split)
    run = _run_variations if plan.search is None else _load_search()
    identity = Identity("ablation", place_of_file(options.file), options.file.stem)
    named = {"base": plan.configs, "seeds": plan.seeds, "split": [plan.split]}
    tags = {key: ", ".join(map(str, values)) for key, values in named.items()}

    def work(parent: ParentRun) -> int:
        text = redact_text(options.file.read_text("utf-8"))
        parent.client.log_text(parent.run_id, text, options.file.name)
        return run(parent, plan, overrides, options.jobs, launcher)

    under_parent(open_parent_run(identity, tags, settings, options.fresh), work)


def _check_overrides(overrides: Sequence[str]) -> None:
    """Reject options that belong in the file of the ablation."""
    names = [argument.partition("=")[0] for argument in overrides]
    if "--seed_everything" in names:
        raise ValueError("Each run has a seed of its own; list the seeds with --seeds 0 1 2.")
    for name in ("split", "base", "variations", "search"):
        if f"--{name}" in names:
            raise ValueError(f"`{name}:` belongs in the file of the ablation.")


def _run_variations(
    parent: ParentRun,
    plan: Plan,
    overrides: Sequence[str],
    jobs: int | None,
    launcher: Launcher | None,
) -> int:
    """Run all variations and print the results; return how many runs failed."""
    children = plan.child_runs(overrides)
    num_failed = run_children(Runner(parent, (plan.split,), jobs, launcher), children)
    results = log_results(parent, plan, children)
    if results is None:
        print(f"No results yet: no run of {plan.base_name} has finished.")
    else:
        print_results(results)
    return num_failed


def _load_search() -> Experiment:
    """Return `_run_search`, or say how to install Optuna."""
    if find_spec("optuna") is None:
        raise ValueError(
            "A search needs Optuna: install `lightning-image-classification[search]`, or "
            "`uv sync --extra search`."
        )
    return _run_search


def _run_search(
    parent: ParentRun,
    plan: Plan,
    overrides: Sequence[str],
    jobs: int | None,
    launcher: Launcher | None,
) -> int:
    """Run all trials and print the best; return how many failed."""
    # These import Optuna, which is optional.
    from lightning_app.commands.ablate.log_trials import log_trials
    from lightning_app.commands.ablate.search import TrialSearch

    search = TrialSearch(Runner(parent, (), jobs, launcher), plan, overrides)
    progress = Progress(search.num_missing, "trial")

    def done(
        settings: str, value: float | None, pruned: bool, failure: ChildRunFailed | None
    ) -> None:
        result = "" if value is None else f"{search.monitor} {value:.4f}{', pruned' * pruned}"
        progress.report(settings, result, failure)

    with progress.bar:
        search.run(done)
    log_trials(parent, search)
    return progress.num_failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "lightning_cli ablate", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("file", type=Path, metavar="FILE.yaml", help="base, variations and seeds")
    parser.add_argument(
        "--seeds", type=int, nargs="+", metavar="SEED", help="replace the seeds of the file"
    )
    add_launcher_options(parser)
    parser.add_argument("--fresh", action="store_true", help="repeat finished runs, too")
    return parser
