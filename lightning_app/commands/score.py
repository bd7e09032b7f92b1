"""The command `lightning_cli score`: record scores from elsewhere in a run."""

import argparse
from collections.abc import Sequence

from lightning_app.store.external_scores import PREFIX, record_scores
from lightning_app.store.run_words import BEST, LAST
from lightning_app.store.runs import find_run, name_with_id, open_store

DESCRIPTION = f"""\
Record scores that were measured elsewhere, such as on a leaderboard, in a run. They are metrics of
the run, {PREFIX}NAME, and appear in its report and in `compare`. A score of the same name is
replaced.
"""
EXAMPLE = "kaggle/public=0.998"


def score(args: list[str]) -> None:
    """Record scores in a run, and print them.

    Args:
        args: The command line after `score`.

    Raises:
        ValueError: If there is no such run, or a score has an invalid name or value.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parser().parse_args(args)
    scores = _parse(options.scores)
    client = open_store()
    run = find_run(client, options.run)
    replaced = record_scores(client, run, scores, options.note)
    for name, value in scores.items():
        old = replaced.get(name.removeprefix(PREFIX))
        change = "" if old is None else f" (replaces {old:.6g})"
        print(f"Score       {PREFIX}{name.removeprefix(PREFIX)} {value:.6g}{change}")
    print(f"Run         {name_with_id(run)}")
    print(f"Report      lightning_cli report {run.info.run_id} writes it again")


def _parse(texts: Sequence[str]) -> dict[str, float]:
    """Values by name.

    Raises:
        ValueError: If a text is not NAME=VALUE, a value is not a number, or a name appears twice.
    """
    scores: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"Expected NAME=VALUE, such as {EXAMPLE}, got {text!r}.")
        if name in scores:
            raise ValueError(f"The score {name} is given twice.")
        try:
            scores[name] = float(value)
        except ValueError:
            raise ValueError(f"The score {name} is {value!r}; expected a number.") from None
    return scores


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli score", description=DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help=f"id or name of a run, {BEST}, or {LAST}")
    parser.add_argument("scores", metavar="NAME=VALUE", nargs="+", help=f"such as {EXAMPLE}")
    parser.add_argument("--note", default="", metavar="TEXT", help="what to remember about them")
    return parser
