"""Questions: by which property of an image, other than its subject, is its class asked for?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lightning_app.commands.prepare.check.facts import THUMBNAIL, ImageFacts

# A fact of the file cannot belong to the subject. A part of the picture does not if it differs from
# what is next to it, and no part like it does so. A property of the picture may, as blue does to
# the sea.
Kind = Literal["file", "part", "picture"]
CORNER = THUMBNAIL // 4  # side of a corner
CORNERS = {
    "upper left": ("first", "first"),
    "upper right": ("first", "last"),
    "lower left": ("last", "first"),
    "lower right": ("last", "last"),
}
PLACES = {
    "first": slice(None, CORNER),
    "second": slice(CORNER, 2 * CORNER),
    "third": slice(-2 * CORNER, -CORNER),
    "last": slice(-CORNER, None),
}
# A scene is alike on both sides, so that its corners differ from what is next to them alike. A
# digit is not, but neither is what is nearer to its middle.
OPPOSITE = {"left": "right", "right": "left"}
INWARD = {"first": "second", "last": "third"}
WHOLE = "whole picture"
NUM_BINS = 10  # of a number, with equally many images each
MAX_VALUES, RARE = 30, 3  # values of a fact, and images of one that stands for itself


@dataclass(frozen=True, eq=False)
class Question:
    """A property by which the class may be told.

    Attributes:
        name: What it is, as in `told by the lower right corner`.
        kind: Whether it can belong to the subject.
        features: (N, D).
        values: The property of each image in words; empty if the picture shows it.
        contrast: How a part differs from what is next to it, (N, D); None if it is not a part.
        references: Differences that would say as much if the subject was the reason, (N, D).
    """

    name: str
    kind: Kind
    features: np.ndarray
    values: Sequence[str] = ()
    contrast: np.ndarray | None = None
    references: Sequence[np.ndarray] = ()


def questions_on(facts: Sequence[ImageFacts]) -> list[Question]:
    """All questions; without those on a property that is the same for all images.

    Args:
        facts: Facts of the N images, all readable.
    """
    asked = [*_of_files(facts), *_of_pixels(facts)]
    return [question for question in asked if np.ptp(question.features, axis=0).any()]


def _of_files(facts: Sequence[ImageFacts]) -> Iterator[Question]:
    sizes = np.array([of_file.size for of_file in facts], float)
    recordings = [of_file.recording for of_file in facts]
    numbers = [sizes[:, 0], sizes[:, 1], sizes[:, 0] / sizes[:, 1]]
    texts = [f"{width:.0f} x {height:.0f}" for width, height in sizes]
    binned = np.concatenate([*map(_binned, numbers), _one_hot(texts)], axis=1)
    yield Question("dimensions", "file", binned, texts)
    for name, values in (
        ("format and compression", [r.compression for r in recordings]),
        ("camera", [r.camera or "no camera" for r in recordings]),
        ("date", [r.date[:7].replace(":", "-") or "no date" for r in recordings]),
    ):
        yield Question(name, "file", _one_hot(values), values)
    sizes_in_bytes = np.array([r.num_bytes for r in recordings], float)
    texts = [f"{size / 1000:.1f} kB" for size in sizes_in_bytes]
    # Not a fact of the file alone: a picture with more detail takes more bytes.
    yield Question("file size", "picture", _binned(sizes_in_bytes), texts)


def _of_pixels(facts: Sequence[ImageFacts]) -> Iterator[Question]:
    thumbnails = np.stack([f.thumbnail for f in facts if f.thumbnail is not None]) / 255.0
    edges = np.stack([f.edges for f in facts if f.edges is not None]) / 255.0
    outer, inner, inmost = (edges[:, k].reshape(len(edges), -1) for k in range(3))
    yield Question("border", "part", outer, (), outer - inner, [inner - inmost])
    yield from _of_corners(thumbnails)
    yield Question("mean colour", "picture", _shrunk(thumbnails, 1))
    yield Question("4 x 4 thumbnail", "picture", _shrunk(thumbnails, 4))
    yield Question(WHOLE, "picture", _shrunk(thumbnails, 16))


def _of_corners(thumbnails: np.ndarray) -> Iterator[Question]:
    corners = {name: _patch(thumbnails, *place) for name, place in CORNERS.items()}
    inside = {
        name: _patch(thumbnails, INWARD[rows], INWARD[columns])
        for name, (rows, columns) in CORNERS.items()
    }
    contrasts = {name: _flat(corners[name] - inside[name]) for name in CORNERS}
    for name, corner in corners.items():
        height, side = name.split()
        opposite = f"{height} {OPPOSITE[side]}"
        asymmetry = _flat(inside[name] - inside[opposite][:, :, ::-1])
        references = [contrasts[opposite], asymmetry]
        yield Question(f"{name} corner", "part", _flat(corner), (), contrasts[name], references)


def _flat(patches: np.ndarray) -> np.ndarray:
    return patches.reshape(len(patches), -1)


def _patch(thumbnails: np.ndarray, rows: str, columns: str) -> np.ndarray:
    return thumbnails[:, PLACES[rows], PLACES[columns]]


def _shrunk(thumbnails: np.ndarray, side: int) -> np.ndarray:
    """Thumbnails (N, 32, 32, 3) as features (N, side x side x 3)."""
    cell = THUMBNAIL // side
    cells = thumbnails.reshape(len(thumbnails), side, cell, side, cell, 3)
    return cells.mean(axis=(2, 4)).reshape(len(thumbnails), -1)


def _binned(numbers: np.ndarray) -> np.ndarray:
    """Numbers (N,) as indicators of bins, so that any relation with the class can be learned."""
    limits = np.unique(np.quantile(numbers, np.linspace(0, 1, NUM_BINS + 1)[1:-1]))
    return np.eye(len(limits) + 1)[np.searchsorted(limits, numbers)]


def _one_hot(values: Sequence[str]) -> np.ndarray:
    """Texts as indicators of the frequent ones, the others in one column."""
    counts = Counter(values).most_common(MAX_VALUES)
    place = {value: k for k, (value, count) in enumerate(counts) if count >= RARE}
    return np.eye(len(place) + 1)[[place.get(value, len(place)) for value in values]]
