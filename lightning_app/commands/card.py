"""The command `lightning_cli card`: the model card of a run."""

import argparse
from pathlib import Path

from datamodules.atomic_files import atomic_write
from lightning_app.cli.model_card.model_card import FILE, model_card
from lightning_app.store.locations import artifact_location
from lightning_app.store.run_words import BEST, LAST
from lightning_app.store.runs import find_run, open_store
from lightning_app.store.stored_run import open_stored_run

DESCRIPTION = f"""\
Write the model card of a run: Markdown with the metadata block that model hubs read, from what the
run has recorded. Without --out, it is stored as the artifact {FILE} of the run.
"""


def card(args: list[str]) -> None:
    """Write the model card of a run.

    Args:
        args: The command line after `card`.

    Raises:
        ValueError: If there is no such run, or the file cannot be written.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parser().parse_args(args)
    client = open_store()
    run = find_run(client, options.run)
    with open_stored_run(client, run) as record:
        text = model_card(record, options.name or str(run.info.run_name))
    if options.out is None:
        client.log_text(run.info.run_id, text, FILE)
        print(f"Card        {artifact_location(run, FILE)}")
        return
    try:
        with atomic_write(options.out) as unfinished:
            unfinished.write_text(text, "utf-8")
    except OSError as error:
        raise ValueError(f"The card cannot be written to {options.out}: {error}.") from error
    print(f"Card        {options.out}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli card", description=DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help=f"id or name of a run, {BEST} or {LAST}")
    parser.add_argument("--name", help="name of the model (default: that of the run)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="Markdown file to write")
    return parser
