"""`lightning_cli report`: write the report of a run from the MLflow store."""

import argparse
from pathlib import Path

from lightning_app.commands.report.settings import FILE
from lightning_app.pages.language import LANGUAGES, language_of
from lightning_app.pages.page_file import check_page_file, write_html
from lightning_app.store.run_words import BEST, LAST

DESCRIPTION = f"""\
Write a self-contained report of a run: one HTML file with its scores, pictures and configuration.
Without --out, it is stored as the artifact {FILE} of the run.
"""


def report(args: list[str]) -> None:
    """Write the report of a run.

    Args:
        args: The command line after `report`.

    Raises:
        ValueError: If there is no such run, or the file is not an HTML file or cannot be written.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parser().parse_args(args)
    check_page_file(options.out)
    # MLflow takes seconds to import; the help does not need it.
    from lightning_app.commands.report.report_page import render_report
    from lightning_app.commands.report.save_report import store_report
    from lightning_app.store.runs import find_run, open_store

    client = open_store()
    run = find_run(client, options.run)
    if options.out is None:
        print(f"Report  {store_report(client, run, options.language)}")
        return
    write_html(options.out, render_report(client, run, language_of(run, options.language)))
    print(f"Report  {options.out}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli report", description=DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help=f"id or name of a run, {BEST} or {LAST}")
    parser.add_argument("--language", choices=LANGUAGES, help="by default that of the run")
    parser.add_argument("--out", type=Path, metavar="FILE", help="HTML file to write")
    return parser
