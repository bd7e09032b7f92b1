"""Texts of the HTML pages in one language, with its formats of numbers, dates and durations."""

import math
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from lightning_app.pages.language import Language
from models.evaluation.metrics import Metric

UNKNOWN = "\N{EN DASH}"
SHORT = 9_950  # milliseconds; shorter durations are given in tenths of a second
SMALLEST_P = 0.0001  # smaller p-values are written as `< 0.0001`


class Words:
    """Texts and formats of a language.

    Args:
        language: Names the file `texts/<language>.yaml`.
    """

    def __init__(self, language: Language) -> None:
        self.texts = read_texts(language)

    def __getitem__(self, key: str) -> Any:
        return self.texts[key]

    def percent(self, share: float | None, digits: int = 2) -> str:
        """A share in [0, 1] in percent; a dash if it is unknown."""
        if share is None or math.isnan(share):
            return UNKNOWN
        return self["formats"]["percent"].format(f"{100 * share:.{digits}f}")

    def metric(self, metric: Metric, split: str) -> str:
        """Name of a metric, and the split that it is of: `accuracy, test`."""
        return self["tiles"]["metric"].format(metric=self["metrics"][metric.name], split=split)

    def value(self, metric: Metric, value: float) -> str:
        """Value of a metric, in percent unless it is a loss."""
        return self.number(value) if metric.kind == "loss" else self.percent(value)

    def interval(self, low: float | None, high: float | None, digits: int = 2) -> str:
        """An interval of shares in [0, 1], in percent; empty if it is unknown."""
        if low is None or high is None or math.isnan(low + high):
            return ""
        return self["formats"]["interval"].format(
            f"{100 * low:.{digits}f}", f"{100 * high:.{digits}f}"
        )

    def number(self, value: float) -> str:
        """A whole number with all its digits, another with four significant digits."""
        if not math.isfinite(value):
            return UNKNOWN
        return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"

    def memory(self, mebibytes: float, of: str) -> str:
        """An amount of memory, and whose it is: `GPU` or `process`; empty if it is 0."""
        amount = f"{self.number(round(mebibytes))} MiB"
        return self["values"]["memory"][of].format(amount=amount) if mebibytes else ""

    def date(self, milliseconds: int) -> str:
        """A point in time, in milliseconds since 1970, in the local time zone."""
        return self["formats"]["date"].format(
            datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone()
        )

    def duration(self, milliseconds: int) -> str:
        """A duration in its two largest units; short ones in tenths of a second."""
        seconds = round(milliseconds / 1000)
        units = self["formats"]["duration"]
        if 0 < milliseconds < SHORT:
            return units[-1].format(f"{milliseconds / 1000:.1f}")
        parts = (seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)
        shown = [unit.format(part) for unit, part in zip(units, parts, strict=True) if part]
        return " ".join(shown[:2]) or units[-1].format(0)


def points(difference: float) -> str:
    """A difference of two shares in percentage points, with its sign."""
    return f"{round(100 * difference, 1) + 0.0:+.1f}"  # + 0.0 turns -0.0 into 0.0


def p_value(value: float, name: str = "") -> str:
    """A p-value with two significant digits: `0.031`, or `p = 0.031` with the name `p `."""
    if value < SMALLEST_P:
        return f"{name}< {SMALLEST_P}"
    return f"{name}= {value:.2g}" if name else f"{value:.2g}"


@cache
def read_texts(language: Language) -> dict[str, Any]:
    """Read all texts of a language."""
    folder = files("lightning_app.pages").joinpath("texts")
    return yaml.safe_load(folder.joinpath(f"{language}.yaml").read_text("utf-8"))
