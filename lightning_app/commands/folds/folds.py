"""The command `lightning_cli folds`: train a network for each fold, and judge them together."""

import argparse

from lightning_app.cli.child_runs.checks import RunSettings, check_runs
from lightning_app.cli.child_runs.launcher import add_launcher_options, launcher_of
from lightning_app.cli.child_runs.parent_run import ParentRun, open_parent_run
from lightning_app.cli.child_runs.run_children import run_children, under_parent
from lightning_app.cli.child_runs.runner import Runner
from lightning_app.commands.folds.judge import judge
from lightning_app.commands.folds.plan import FoldsPlan
from lightning_app.commands.folds.tables import print_next, print_results
from lightning_app.store.predictions import SplitName

DESCRIPTION = """\
Cross-validation: divide the images that are not tested on into folds, and train a network for each
fold, on the images of the others. Every image is then predicted by a network that has not seen it.
The test images are the same for all folds; the ensemble of all networks is tested on them. The same
command resumes what was stopped, and finished runs are not repeated.
"""
EPILOG = """\
PATH and all other options are those of `fit`: `lightning_cli folds PATH --recipe transfer`,
`lightning_cli folds --config FILE.yaml --trainer.max_epochs 20`.
"""


def folds(args: list[str]) -> None:
    """Run a cross-validation, or what is left of it.

    Args:
        args: The command line after `folds`.

    Raises:
        ValueError: If a setting is invalid; no run was started then.
        SystemExit: With 2 if the command line does not parse, with 1 if a run failed, with 130 if
            the command was interrupted.
    """
    options, arguments = _parser().parse_known_args(args)
    launcher = launcher_of(options)
    plan = FoldsPlan(tuple(arguments), options.folds, options.seeds)
    settings = check_runs(plan.child_runs()[:1], "val")
    tags = {"folds.number": plan.folds, "folds.seeds": plan.seeds}
    opened = open_parent_run(plan.identity(settings.experiment), tags, settings, options.fresh)
    splits: tuple[SplitName, ...] = ("val", "test") if settings.has_test else ("val",)

    def work(parent: ParentRun) -> int:
        return _run(Runner(parent, splits, options.jobs, launcher), plan, settings)

    under_parent(opened, work)


def _run(runner: Runner, plan: FoldsPlan, settings: RunSettings) -> int:
    """Run all folds, and judge them; return how many runs failed."""
    parent, splits, children = runner.parent, runner.splits, plan.child_runs()
    num_failed = run_children(runner, children)
    found = [(child, parent.find(child)) for child in children]
    done = [(child, run) for child, run in found if run and parent.is_done(run, splits)]
    if not done:
        print("No results yet: no run has finished.")
        return num_failed
    complete = len(done) == len(children)
    print_results(judge(parent, done, complete, settings.has_test))
    print_next(parent.client.get_run(parent.run_id), complete)
    if not complete:
        print(f"{len(done)} of {len(children)} networks are trained: no ensemble yet.")
    return num_failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "lightning_cli folds",
        usage="lightning_cli folds PATH|--config FILE.yaml [--folds 5] [--seeds 1] [--jobs 1] ...",
        description=DESCRIPTION,
        epilog=EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--folds", type=int, default=5, help="number of folds (default: 5)")
    parser.add_argument(
        "--seeds", type=int, default=1, help="networks of each fold, with other seeds (default: 1)"
    )
    add_launcher_options(parser)
    parser.add_argument("--fresh", action="store_true", help="repeat finished runs, too")
    return parser
