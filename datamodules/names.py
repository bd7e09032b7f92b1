"""Names of classes and images: one order and one spelling, wherever they are read from."""

import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from math import isfinite
from os import fsencode


def in_order(names: Iterable[str]) -> list[str]:
    """The different names in numerical order if all are numbers, else in alphabetical order.

    Class folders, manifests and pixel CSV files all number their classes in this order.
    """
    different = set(names)
    numbers = {name: number for name in different if (number := _number(name)) is not None}
    if len(numbers) < len(different):
        return sorted(different)
    return sorted(different, key=lambda name: (numbers[name], name))


def composed(name: str) -> str:
    """The name in Unicode's normal form C: macOS and others write é as e and an accent."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def spelled_as(path: str, exists: Callable[[str], bool]) -> str:
    """The path in the normal form in which it exists; as it is if it exists in none."""
    forms = (path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD")))
    return path if path.isascii() else next(filter(exists, forms), path)


def is_text(name: str) -> bool:
    """Whether the name of a file is UTF-8, and can be written to tables and reports."""
    return name.isascii() or not any("\ud800" <= char <= "\udfff" for char in name)


def shown(name: str) -> str:
    r"""The name of a file for messages: bytes that are not UTF-8 as `\xe9`."""
    return name if is_text(name) else fsencode(name).decode("utf-8", "backslashreplace")


def _number(name: str) -> float | None:
    with suppress(ValueError):
        if isfinite(number := float(name)) and "_" not in name:
            return number
    return None
