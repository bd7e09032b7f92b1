"""Doubt notes: sentences on heat maps that fail the sanity checks, from the table of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from lightning_app.pages.words import Words


def doubt_notes(rows: Sequence[Mapping[str, Any]], words: Words) -> list[str]:
    """A sentence on each method whose maps should not be trusted, with the figures.

    Args:
        rows: Of the table `honesty`; none in runs of earlier versions.
        words: Texts of the language.
    """
    texts = words["doubts"]
    return [
        texts["sentence"].format(
            method=row["method"],
            reasons=texts["join"].join(
                texts[check].format(
                    flat=words.percent(row["flat maps"], 0),
                    similarity=_short(row["randomization"]),
                    deletion=_short(row["deletion"]),
                    elsewhere=_short(row["deletion elsewhere"]),
                    p_value=_short(row["p-value"]),
                    images=words.number(row["images"]),
                )
                for check in row["failed"].split(", ")
            ),
        )
        for row in rows
        if row["failed"]
    ]


def _short(value: float | None) -> str:
    """Two digits; JSON has no NaN, the correlation of maps that are flat."""
    return "" if value is None else f"{value:.2f}"
