"""`lightning_cli compare`: runs side by side, and prediction by prediction."""

import argparse
from pathlib import Path

from lightning_app.pages.language import LANGUAGES
from lightning_app.pages.page_file import check_page_file
from lightning_app.store.runs import LAST

DESCRIPTION = """\
Compare runs with the first one: their numbers, what differs in their settings, and, image by image,
what got better and what got worse. It is told here, and on one HTML page with the pictures, which
needs no other file. Without --out it goes among the artifacts of the last run.
"""


def compare(args: list[str]) -> None:
    """Compare runs with the first one.

    Args:
        args: The command line after `compare`.

    Raises:
        ValueError: If there is no such run, the runs have no images in common, or an option is of
            no use.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parser().parse_args(args)
    check_page_file(options.out)
    if options.num_images < 1:
        raise ValueError(f"--num_images is {options.num_images}; expected 1 or more.")
    from lightning_app.commands.compare.run import run  # takes seconds: the help does not need it

    runs = [options.base, *options.others]
    run(runs, options.split, options.num_images, options.language, options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli compare", description=DESCRIPTION)
    parser.add_argument("base", metavar="RUN", help=f"what is compared with: id, name or {LAST}")
    parser.add_argument("others", metavar="RUN", nargs="+", help="what is compared, one or more")
    parser.add_argument(
        "--split",
        choices=("test", "val"),
        help="images to compare on; if not given, those of the test if all runs were tested",
    )
    parser.add_argument(
        "--num_images", type=int, default=20, metavar="N", help="images in a sheet (20)"
    )
    parser.add_argument("--language", choices=LANGUAGES, help="that of the last run if not given")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the page goes")
    return parser
