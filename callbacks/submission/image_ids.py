"""Image ids: the images that a sample submission means, however it spells their names."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

LINE = re.compile(r".+:\d+")  # name of an image in a pixel CSV: file and line
ENDING = re.compile(r"\.(jpe?g|png|bmp|gif|tiff?|webp)$", re.IGNORECASE)
SHOWN = 5  # names that an error lists

_Spell = Callable[[PurePosixPath], str]


class Spelling(NamedTuple):
    """A way to spell the names of images.

    Attributes:
        description: What ids in it are.
        places: Row of the image by its name in this spelling; of equal names, that of the last.
        spell: How an id is changed before it is looked up.
    """

    description: str
    places: dict[str, int]
    spell: Callable[[str], str]


class ImageIds(NamedTuple):
    """Row of the image of each id, and what the ids are."""

    rows: list[int]
    description: str


class AmbiguousIds(ValueError):
    """Ids that mean several images, or several ids that mean one."""


def spellings(names: Sequence[str]) -> Iterator[Spelling]:
    """All spellings of the names of N images, the most exact one first.

    Rows of a pixel CSV are also numbered, from 0 and from 1.
    """
    of_pixels = all(LINE.fullmatch(name) for name in names)
    ways: tuple[tuple[str, _Spell, Callable[[str], str]], ...] = (
        ("paths", str, str),
        ("paths without ending", lambda path: str(path.with_suffix("")), str),
        ("file names", lambda path: path.name, str),
        ("file names without ending", lambda path: path.stem, str),
        ("file names in other folders", lambda path: path.name, lambda id: PurePosixPath(id).name),
        ("file names with other endings", lambda path: path.stem, _bare),
    )
    for description, of_name, of_id in ways[:1] if of_pixels else ways:
        spelled = [of_name(PurePosixPath(name)) for name in names]
        yield Spelling(description, {name: row for row, name in enumerate(spelled)}, of_id)
    for first in (0, 1) if of_pixels else ():
        numbers = {str(first + row): row for row in range(len(names))}
        yield Spelling(f"row numbers, counted from {first}", numbers, str)


def find_images(ids: Sequence[str], names: Sequence[str]) -> ImageIds:
    """Find the image of each id, by the first of the spellings in which all ids are images.

    Args:
        ids: Ids of a sample submission, of one image each.
        names: Names of the N images.

    Raises:
        ValueError: If there is an id without an image, or an id of several images.
    """
    attempts: list[tuple[list[str], Spelling]] = []  # ids that are no name in a spelling
    for spelling in spellings(names):
        spelled = [spelling.spell(given) for given in ids]
        unknown = [given for given, own in zip(ids, spelled, strict=True) if own not in spelling[1]]
        attempts.append((unknown, spelling))
        if unknown:
            continue
        if len(spelling.places) < len(names):
            raise AmbiguousIds("its ids are file names that occur in several folders.")
        if len(set(spelled)) < len(set(ids)):
            raise AmbiguousIds("several of its ids mean one image.")
        return ImageIds([spelling.places[own] for own in spelled], spelling.description)
    raise ValueError(_no_image(attempts, names))


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _no_image(attempts: Sequence[tuple[list[str], Spelling]], names: Sequence[str]) -> str:
    if len(attempts) == 3:  # a path, and two ways to count
        return (
            f"the images are {len(names)} rows of a pixel CSV; expected their row numbers, "
            f"counted from 0 or 1, got {some(attempts[1][0])}."
        )
    unknown, spelling = min(attempts, key=lambda attempt: len(attempt[0]))
    spelled = list(spelling.places)
    near = difflib.get_close_matches(unknown[0], spelled, n=3)
    hint = f"Near names: {', '.join(near)}" if near else f"Images: {some(spelled)}"
    return f"there is no image {some(unknown)}. {hint}."


def _bare(given: str) -> str:
    return ENDING.sub("", PurePosixPath(given).name)
