"""The command `lightning_cli compare`: runs side by side, and image by image."""

import argparse
from pathlib import Path

from lightning_app.pages.language import LANGUAGES
from lightning_app.pages.page_file import check_page_file
from lightning_app.store.run_words import BEST, LAST

DESCRIPTION = """\
Compare runs with the first one: their scores, the settings that differ, and, image by image, what
got better and what got worse, with a significance test. The result is printed, and written with
pictures to a self-contained HTML page: an artifact of the last run, or the file of --out.
"""


def compare(args: list[str]) -> None:
    """Compare runs with the first one.

    Args:
        args: The command line after `compare`.

    Raises:
        ValueError: If there is no such run, the runs have no images in common, or the value of an
            option is invalid.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parser().parse_args(args)
    check_page_file(options.out)
    if options.num_images < 1:
        raise ValueError(f"--num_images is {options.num_images}; expected 1 or more.")
    # Takes seconds to import; the help does not need it.
    from lightning_app.commands.compare.run_comparison import run_comparison

    runs = [options.base, *options.others]
    run_comparison(runs, options.split, options.num_images, options.language, options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lightning_cli compare", description=DESCRIPTION)
    parser.add_argument("base", metavar="RUN", help=f"the reference: id, name, {BEST} or {LAST}")
    parser.add_argument("others", metavar="RUN", nargs="+", help="runs to compare with it")
    parser.add_argument(
        "--split",
        choices=("test", "val"),
        help="images to compare on (default: test if all runs were tested, else val)",
    )
    parser.add_argument(
        "--num_images",
        type=int,
        default=20,
        metavar="N",
        help="images in a contact sheet (default: 20)",
    )
    parser.add_argument(
        "--language", choices=LANGUAGES, help="language of the page (default: that of the last run)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="file of the page")
    return parser
