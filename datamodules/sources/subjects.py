"""Subjects: where the subject of an image is, by a box or a mask that a table names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from datamodules.sources.decode import read_image
from datamodules.sources.files import outside
from datamodules.sources.image_limits import UnreadableImageError
from datamodules.sources.image_sizes import upright_size
from datamodules.sources.resizing import Resize, to_square

# Names of the columns, in small letters. A box is given by two corners, or by a corner and its size
# (as in COCO), in pixels or in shares of the image.
CORNERS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
    ("roi.x1", "roi.y1", "roi.x2", "roi.y2"),
)
CORNER_AND_SIZE = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("bbox_x", "bbox_y", "bbox_width", "bbox_height"),
)
BOX, MASK = "bbox", ("mask", "mask_path", "mask_file")  # one column; a box as [x, y, width, height]
NUMBER = r"-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
NOISE = 10  # levels of a dark pixel in a mask that was saved with losses


@dataclass(frozen=True, eq=False)
class Subjects:
    """Where the subjects of some images are.

    Attributes:
        root: Folder that the images and masks are relative to.
        names: Path of each image, (N,).
        size: Side of the square that the images are resized to.
        resize: How; see `to_square`.
        boxes: Left, top, right and bottom of each box, (N, 4), NaN where it is not known; None for
            masks.
        masks: Path of each mask, empty where there is none.
        columns: Names of the columns that this comes from.
    """

    root: Path
    names: Sequence[str]
    size: int
    resize: Resize
    boxes: np.ndarray | None = None
    masks: Sequence[str] = ()
    columns: tuple[str, ...] = field(default=())

    def mask(self, name: str) -> np.ndarray | None:
        """Which pixels of the square show the subject, boolean (size, size).

        None if it is not known, has no pixel, or its file cannot be read.
        """
        row = self._rows.get(name)
        if row is None:
            return None
        try:
            whole = self._drawn(row) if self.boxes is not None else self._read(self.masks[row])
        except UnreadableImageError:
            return None
        if whole is None:
            return None
        square = to_square(np.uint8(255) * whole[:, :, None], self.size, self.resize)[:, :, 0] > 127
        return square if square.any() else None

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    @cached_property
    def _are_shares(self) -> bool:
        """Whether boxes are in shares of the image: then none of them has a number above 1."""
        assert self.boxes is not None
        return bool(np.nanmax(self.boxes, initial=0) <= 1)

    def _drawn(self, row: int) -> np.ndarray | None:
        """The box in the whole image, (H, W)."""
        assert self.boxes is not None
        if np.isnan(box := self.boxes[row]).any():
            return None
        width, height = upright_size(self.root / self.names[row])
        scale = (width, height, width, height) if self._are_shares else (1, 1, 1, 1)
        left, top, right, bottom = (box * scale).round().clip(min=0).astype(int).tolist()
        whole = np.zeros((height, width), np.uint8)
        whole[top:bottom, left:right] = 1
        return whole

    def _read(self, path: str) -> np.ndarray | None:
        """A mask, whose subject is what is not black, (H, W)."""
        if not path:
            return None
        levels = read_image(self.root / path, 1)[:, :, 0]
        return (levels > (NOISE if levels.max() > NOISE else 0)).astype(np.uint8)


def find_subjects(
    columns: Mapping[str, np.ndarray],
    root: Path,
    names: Sequence[str],
    size: int,
    resize: Resize,
    allow_outside: bool = False,
) -> Subjects | None:
    """The boxes or masks that the columns of a table have; None if they have none.

    Args:
        columns: Further columns of the table by name, each of N texts.
        root: See `Subjects`.
        names: See `Subjects`.
        size: See `Subjects`.
        resize: See `Subjects`.
        allow_outside: Whether masks may lie outside of the root; otherwise these are not read.
    """
    known = {name.strip().casefold(): name for name in columns}
    for key in MASK:
        if key in known:
            paths = [path.replace("\\", "/") for path in columns[known[key]].tolist()]
            if not allow_outside:
                gone = outside(root, paths)
                paths = ["" if out else path for path, out in zip(paths, gone, strict=True)]
            return Subjects(root, names, size, resize, masks=paths, columns=(known[key],))
    found = _boxes(columns, known)
    if found is None or np.isnan(found[0]).any(axis=1).all():
        return None
    return Subjects(root, names, size, resize, boxes=found[0], columns=found[1])


def _boxes(
    columns: Mapping[str, np.ndarray], known: Mapping[str, str]
) -> tuple[np.ndarray, tuple[str, ...]] | None:
    """Left, top, right and bottom of each box, and the names of their columns."""
    if BOX in known:
        texts = columns[known[BOX]].tolist()
        rows = [_numbers(re.findall(NUMBER, text)) for text in texts]
        return _with_corners(np.array(rows)), (known[BOX],)
    for group in (*CORNERS, *CORNER_AND_SIZE):
        if all(key in known for key in group):
            own = tuple(known[key] for key in group)
            cells = zip(*(columns[name].tolist() for name in own), strict=True)
            boxes = np.array([_numbers(row) for row in cells])
            return (boxes if group in CORNERS else _with_corners(boxes)), own
    return None


def _numbers(texts: Sequence[str]) -> list[float]:
    """Four numbers; NaN if they are not four, or not numbers."""
    try:
        values = [float(text) for text in texts]
    except ValueError:
        values = []
    return values if len(values) == 4 and np.isfinite(values).all() else [np.nan] * 4


def _with_corners(boxes: np.ndarray) -> np.ndarray:
    """From corner and size, (N, 4), to two corners."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
