"""`lightning_cli ablate`: train variations of a configuration, and compare them."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from tqdm import tqdm

from lightning_app.cli.summary import UI
from lightning_app.commands.ablate.checks import check_all
from lightning_app.commands.ablate.children import ChildFailed, Runner
from lightning_app.commands.ablate.plan import Child, Plan
from lightning_app.commands.ablate.plan_file import read_plan
from lightning_app.commands.ablate.runs import Family, open_family
from lightning_app.commands.ablate.storing import store_results
from lightning_app.commands.ablate.tables import text_of

DESCRIPTION = """\
Train variations of a configuration with several seeds, score them on the same images, and compare
each with the base. What is finished is not repeated, so a stopped ablation is gone on with by the
same command. What else `fit` takes (--data.root PATH, --trainer.max_epochs 2) holds for all runs.
"""


def ablate(args: list[str]) -> None:
    """Run an ablation, or what is left of it.

    Args:
        args: The command line after `ablate`.

    Raises:
        ValueError: If the file or a setting of a run is wrong; nothing was started then.
        SystemExit: With 2 if the command line does not parse, with 1 if a run failed, with 130 if
            it was interrupted.
    """
    options, overrides = _parser().parse_known_args(args)
    if options.jobs < 1:
        raise ValueError(f"Expected --jobs of 1 or more, got {options.jobs}.")
    plan = _chosen(read_plan(options.file), options)
    _refuse(overrides)
    settings = check_all(plan.examples(overrides), None if plan.search else plan.split)
    run = _compare if plan.search is None else _search_with_optuna()
    try:
        with open_family(options.file, plan, settings, options.fresh) as family:
            family.client.log_artifact(family.parent_id, str(options.file))
            num_failed, text = run(family, plan, overrides, options.jobs)
            family.failed = num_failed > 0
    except KeyboardInterrupt:
        print("\nThe same command goes on from here.")
        raise
    print(text)
    if num_failed:
        print(f"{num_failed} of the runs failed, see above; the same command tries them again.")
    print(f"Look at it  {UI}; the run is {family.parent.info.run_name}")
    if num_failed:
        raise SystemExit(1)


def _refuse(overrides: Sequence[str]) -> None:
    """Refuse what the file has to say."""
    names = [argument.partition("=")[0] for argument in overrides]
    if "--seed_everything" in names:
        raise ValueError("Each run has a seed of its own; name them with --seeds 0 1 2.")
    for name in ("split", "base", "variations", "search"):
        if f"--{name}" in names:
            raise ValueError(f"`{name}:` belongs into the file of the ablation.")


class _Progress:
    """A bar over runs, and a line for each that has ended.

    Args:
        total: How many there are.
        unit: What they are called.
    """

    def __init__(self, total: int, unit: str) -> None:
        self.bar = tqdm(total=total, unit=unit)
        self.num_failed = 0

    def tell(self, name: str, result: str, failure: ChildFailed | None) -> None:
        """Say how a run has ended."""
        self.bar.update()
        tqdm.write(f"{name}: {result}" if failure is None else f"{name} failed: {failure}")
        self.num_failed += failure is not None


def _compare(family: Family, plan: Plan, overrides: Sequence[str], jobs: int) -> tuple[int, str]:
    """Run all variations; how many runs failed, and the result for the console."""
    children = plan.children(overrides)
    progress = _Progress(len(children), "run")

    def done(child: Child, seconds: float | None, failure: ChildFailed | None) -> None:
        result = "is finished already" if seconds is None else f"{seconds / 60:.1f} min"
        progress.tell(child.name, result, failure)

    with progress.bar:
        Runner(family, plan.split, jobs).run_all(children, done)
    results = store_results(family, plan, children)
    missing = f"There is nothing to compare: no run of {plan.base_name} is finished."
    return progress.num_failed, text_of(results) if results else missing


def _search_with_optuna() -> Callable[..., tuple[int, str]]:
    """`_search`, or what is missing."""
    if find_spec("optuna") is None:
        raise ValueError(
            "A search needs Optuna: install `lightning-image-classification[search]`, or "
            "`uv sync --extra search`."
        )
    return _search


def _search(family: Family, plan: Plan, overrides: Sequence[str], jobs: int) -> tuple[int, str]:
    """Make all trials; how many runs failed, and the result for the console."""
    from lightning_app.commands.ablate.search import (
        TrialSearch,  # with Optuna, which not everybody has
    )
    from lightning_app.commands.ablate.trials import store_trials

    trials = TrialSearch(Runner(family, None, jobs), plan, overrides)
    progress = _Progress(trials.missing, "trial")

    def done(settings: str, value: float | None, pruned: bool, failure: ChildFailed | None) -> None:
        result = "" if value is None else f"{trials.monitor} {value:.4f}{', pruned' * pruned}"
        progress.tell(settings, result, failure)

    with progress.bar:
        trials.run(done)
    return progress.num_failed, store_trials(family, trials)


def _chosen(plan: Plan, options: argparse.Namespace) -> Plan:
    """The plan with what the command line says otherwise."""
    chosen = {} if options.seeds is None else {"seeds": options.seeds}
    return replace(plan, **chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "lightning_cli ablate", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("file", type=Path, metavar="FILE.yaml", help="base, variations and seeds")
    parser.add_argument(
        "--seeds", type=int, nargs="+", metavar="SEED", help="instead of the file's"
    )
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time")
    parser.add_argument("--fresh", action="store_true", help="repeat what is finished, too")
    return parser
