"""`lightning_cli report`: the page of a run, made anew from what the store holds of it."""

import argparse
from pathlib import Path

from lightning_app.commands.report.report_page import write_page
from lightning_app.commands.report.saving import store_page
from lightning_app.commands.report.settings import FILE
from lightning_app.pages.language import LANGUAGES, language_of
from lightning_app.pages.page_file import check_page_file, write_file
from lightning_app.store.runs import LAST, find_run, open_store

DESCRIPTION = f"""\
Write the report of a run: one HTML page with its numbers, pictures and configuration, which needs
no other file. Without --out it becomes {FILE} among the artifacts of the run.
"""


def report(args: list[str]) -> None:
    """Write the report of a run.

    Args:
        args: The command line after `report`.

    Raises:
        ValueError: If there is no such run, or the file is no HTML file.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parser().parse_args(args)
    check_page_file(options.out)
    client = open_store()
    run = find_run(client, options.run)
    if options.out is None:
        print(f"Report  {store_page(client, run, options.language)}")
        return
    write_file(options.out, write_page(client, run, language_of(run, options.language)))
    print(f"Report  {options.out}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli report", description=DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help=f"id or name of a run, or {LAST}")
    parser.add_argument("--language", choices=LANGUAGES, help="that of the run if not given")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the page goes")
    return parser
