r"""Labels from the names of image files, by a regular expression such as `^(\w+)_\d+`."""

import re
from collections import Counter
from collections.abc import Iterable
from posixpath import basename

PREFIX = "name:"  # of a column of labels that is none
USUAL = (  # patterns of names that hold a class; the first that fits is proposed
    r"^(.*?[^\W\d])[\W_]*\d+[\W_]*\.\w+$",  # cat.0.jpg, Abyssinian_12.jpg, dog (3).png
    r"^\d+[\W_]+([^\W\d].*?)\.\w+$",  # 0012_daisy.png
)
ENOUGH = 0.9  # share of the names that a proposed pattern has to fit


def compiled(pattern: str, option: str) -> re.Pattern[str]:
    """A pattern that is used for labels.

    Raises:
        ValueError: If it is not a regular expression, or has no group.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{option}: {pattern!r} is not a regular expression: {error}.") from None
    if not expression.groups:
        raise ValueError(
            f"{option}: {pattern!r} has no group; put the part of the name that is the class in "
            r"parentheses, such as ^(\w+)_\d+."
        )
    return expression


def labels_from_names(names: Iterable[str], pattern: re.Pattern[str]) -> list[str]:
    """What the first group finds in each name, without its folders; empty where nothing fits.

    A pattern with a slash is searched in the whole path.
    """
    whole = "/" in pattern.pattern
    found = (pattern.search(name if whole else basename(name)) for name in names)
    return [(match[1] or "").strip() if match else "" for match in found]


def proposal(names: Iterable[str]) -> str:
    """A pattern that makes a few classes of the names, with their counts; empty if none does."""
    names = list(names)
    for usual in USUAL:
        counts = Counter(labels_from_names(names, re.compile(usual)))
        fitting = len(names) - counts.pop("", 0)
        if fitting >= ENOUGH * len(names) and 2 <= len(counts) <= len(names) / 2:
            listed = ", ".join(f"{name} ({number})" for name, number in counts.most_common(4))
            more = f" and {len(counts) - 4} more classes" if len(counts) > 4 else ""
            return f"'{usual}' would give {listed}{more}"
    return ""
