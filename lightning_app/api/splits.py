"""Splits of the images that a caller names."""

from collections.abc import Sequence


def check_split(split: str, expected: Sequence[str]) -> None:
    """Refuse a split that is not one of those expected.

    Raises:
        ValueError: If it is another one.
    """
    if split not in expected:
        *others, last = [repr(name) for name in expected]
        raise ValueError(f"Expected split to be {', '.join(others)} or {last}, got {split!r}.")
