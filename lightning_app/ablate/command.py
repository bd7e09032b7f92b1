"""`lightning_cli ablate`: train variations of a configuration, and compare them."""

import argparse
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from lightning_app.ablate.checks import check
from lightning_app.ablate.children import ChildFailed, Runner
from lightning_app.ablate.plan import Child, Plan, read_plan
from lightning_app.ablate.runs import open_family
from lightning_app.ablate.storing import store_results
from lightning_app.ablate.tables import text_of
from lightning_app.summary import UI

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
        SystemExit: With 2 if the command line does not parse, with 1 if a run failed.
    """
    options, overrides = _parser().parse_known_args(args)
    plan = _chosen(read_plan(options.file), options)
    children = plan.children(overrides)
    base, *_ = [check(child.arguments) for child in children[: len(plan.names)]]
    with open_family(options.file.stem, plan, base, options.fresh) as family:
        family.client.log_artifact(family.parent_id, str(options.file))
        failed = _run(Runner(family, plan.split, options.jobs), children)
        results = store_results(family, plan, children)
        print(text_of(results) if results else "There is nothing to compare: no run of the base.")
        print(f"Look at it  {UI}; the run is {family.parent.info.run_name}")
    if failed:
        raise SystemExit(1)


def _run(runner: Runner, children: list[Child]) -> list[Child]:
    """Run all, and return those that failed."""
    failed: list[Child] = []
    with tqdm(total=len(children), unit="run", delay=2) as bar:

        def done(child: Child, seconds: float, failure: ChildFailed | None) -> None:
            bar.update()
            if failure is None:
                tqdm.write(f"{child.name}: {seconds / 60:.1f} min")
                return
            tqdm.write(f"{child.name} failed: {failure}")
            failed.append(child)

        runner.run_all(children, done)
    return failed


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
