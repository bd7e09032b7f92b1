"""Likely label errors on the console."""

from pathlib import Path
from typing import Any

from callbacks.label_suspects import Suspects
from callbacks.plots.drawing.texts import shorten
from lightning_app.output.console import Column, print_table

SHOWN = 10  # labels that are printed
MAX_NAME, MAX_CLASS = 50, 18  # letters in the printed table
SHEET_FILE, TABLE, FIXES = "label_suspects.png", "label_suspects.csv", "label_fixes.csv"


def print_suspects(found: Suspects, ranking: dict[str, list[Any]], out: Path) -> None:
    """Print the most suspicious labels, the files, and how to correct the labels.

    Args:
        found: All labels that were checked.
        ranking: Their ranking; see `Suspects.ranking`.
        out: Folder of the files.
    """
    number = int((found.likely if found.believable else found.errors.disagrees).sum())
    star = f" (* is one of the {number:,})" if number and found.believable else ""
    verdict = "are likely errors" if found.believable else "look wrong, too many to believe"
    columns = (Column(""), Column("image"), Column("label"), Column("suggested"))
    print_table(
        [*columns, Column("probability", "right")],
        [
            (
                "*" * ranking["confident"][row],
                shorten(ranking["image"][row], MAX_NAME),
                shorten(ranking["label"][row], MAX_CLASS),
                shorten(ranking["suggested"][row], MAX_CLASS),
                f"{ranking['suggested_probability'][row]:.0%}",
            )
            for row in range(min(SHOWN, len(ranking["image"])))
        ],
        f"{number:,} of {len(found.names):,} labels {verdict}. The most suspicious{star}:",
    )
    sheet, table, fixes = (out / name for name in (SHEET_FILE, TABLE, FIXES))
    print(f"The contact sheet is {sheet}; {table} ranks all labels.")
    if found.believable:
        print(
            f"Delete the rows of {fixes} whose labels are correct, then train with\n"
            f"  --data.options.label_fixes {fixes}"
        )
    else:
        print(f"No {fixes}: {found.doubt}.")
