"""The command `lightning_cli ablate`: train variations of a configuration and compare them."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from tqdm import tqdm

from datamodules.redaction import redact_text
from lightning_app.cli.summary import UI
from lightning_app.commands.ablate.checks import check_runs
from lightning_app.commands.ablate.log_results import log_results
from lightning_app.commands.ablate.parent_run import ParentRun, open_parent_run
from lightning_app.commands.ablate.plan import ChildRun, Plan
from lightning_app.commands.ablate.plan_file import read_plan
from lightning_app.commands.ablate.runner import ChildRunFailed, Runner
from lightning_app.commands.ablate.tables import print_results

DESCRIPTION = """\
Train variations of a configuration with one or more seeds, score them on the same images, and
compare each with the base. The same command resumes an ablation that was stopped: finished runs are
not repeated. Other options of `fit` (--data.root PATH, --trainer.max_epochs 2) apply to all runs.
"""

Experiment = Callable[[ParentRun, Plan, Sequence[str], int], int]  # returns how many runs failed


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
    if options.jobs < 1:
        raise ValueError(f"Expected --jobs of 1 or more, got {options.jobs}.")
    plan = read_plan(options.file)
    if options.seeds is not None:
        plan = replace(plan, seeds=options.seeds)
    _check_overrides(overrides)
    settings = check_runs(plan.examples(overrides), None if plan.search else plan.split)
    run = _run_variations if plan.search is None else _load_search()
    try:
        with open_parent_run(options.file, plan, settings, options.fresh) as parent:
            text = redact_text(options.file.read_text("utf-8"))
            parent.client.log_text(parent.run_id, text, options.file.name)
            num_failed = run(parent, plan, overrides, options.jobs)
            parent.failed = num_failed > 0
    except KeyboardInterrupt:
        print("\nInterrupted. The same command resumes.")
        raise
    if num_failed:
        print(f"{num_failed} of the runs failed, see above; the same command tries them again.")
    print(f"Look at it  {UI}; the run is {parent.name}")
    if num_failed:
        raise SystemExit(1)


def _check_overrides(overrides: Sequence[str]) -> None:
    """Reject options that belong in the file of the ablation."""
    names = [argument.partition("=")[0] for argument in overrides]
    if "--seed_everything" in names:
        raise ValueError("Each run has a seed of its own; list the seeds with --seeds 0 1 2.")
    for name in ("split", "base", "variations", "search"):
        if f"--{name}" in names:
            raise ValueError(f"`{name}:` belongs in the file of the ablation.")


class _Progress:
    """Progress bar over runs, with a line for each run that has ended.

    Args:
        total: Number of runs.
        unit: What a run is called.
    """

    def __init__(self, total: int, unit: str) -> None:
        self.bar = tqdm(total=total, unit=unit)
        self.num_failed = 0

    def report(self, name: str, result: str, failure: ChildRunFailed | None) -> None:
        """Print how a run has ended."""
        self.bar.update()
        tqdm.write(f"{name}: {result}" if failure is None else f"{name} failed: {failure}")
        self.num_failed += failure is not None


def _run_variations(parent: ParentRun, plan: Plan, overrides: Sequence[str], jobs: int) -> int:
    """Run all variations and print the results; return how many runs failed."""
    children = plan.child_runs(overrides)
    progress = _Progress(len(children), "run")

    def done(child: ChildRun, seconds: float | None, failure: ChildRunFailed | None) -> None:
        result = "already finished" if seconds is None else f"{seconds / 60:.1f} min"
        progress.report(child.name, result, failure)

    with progress.bar:
        Runner(parent, plan.split, jobs).run_all(children, done)
    results = log_results(parent, plan, children)
    if results is None:
        print(f"No results yet: no run of {plan.base_name} has finished.")
    else:
        print_results(results)
    return progress.num_failed


def _load_search() -> Experiment:
    """Return `_run_search`, or say how to install Optuna."""
    if find_spec("optuna") is None:
        raise ValueError(
            "A search needs Optuna: install `lightning-image-classification[search]`, or "
            "`uv sync --extra search`."
        )
    return _run_search


def _run_search(parent: ParentRun, plan: Plan, overrides: Sequence[str], jobs: int) -> int:
    """Run all trials and print the best; return how many failed."""
    # These import Optuna, which is optional.
    from lightning_app.commands.ablate.log_trials import log_trials
    from lightning_app.commands.ablate.search import TrialSearch

    search = TrialSearch(Runner(parent, None, jobs), plan, overrides)
    progress = _Progress(search.num_missing, "trial")

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
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time (default: 1)")
    parser.add_argument("--fresh", action="store_true", help="repeat finished runs, too")
    return parser
