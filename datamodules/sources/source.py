"""Image source: labelled images, and the reader of their pixels."""

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, Self

import numpy as np

from datamodules.sources.decode import Check
from datamodules.sources.image_limits import MissingImageError, UnreadableImageError
from datamodules.sources.text_array import text_array

MAX_BYTES = 2**32  # of all images together; to compare more of them would take long
FOUND_LATE = (
    "It is found only now, since the check before training read the first and last bytes of each "
    "file. Fix or delete it; `lightning_cli prepare check` lists all such files, and "
    "--data.options.on_error skip leaves them out before training."
)
UNLABELLED = -1  # label of an image of unknown class: it can be predicted, not scored


class DamagedImageError(ValueError):
    """An image that turns out to be damaged after training has begun: it must not be skipped."""


class ImageReader(Protocol):
    """Reads images by their row; all have the same size after reading."""

    @abstractmethod
    def read(self, row: int) -> np.ndarray:
        """The image as uint8 (H, W, C).

        Raises:
            UnreadableImageError: If it cannot be read.
        """

    @abstractmethod
    def take(self, rows: np.ndarray) -> np.ndarray | None:
        """The images (N, H, W, C) at once; None if reading one by one is as fast."""

    @abstractmethod
    def checks(self, rows: np.ndarray, title: str, quick: bool = False) -> list[Check] | None:
        """What is wrong with each image; None if they need no check.

        Args:
            rows: Of the images.
            title: Of the progress bar.
            quick: Whether the ends of JPEG files are enough where all their bytes would have to be
                read; damage between them then shows when they are decoded.
        """

    @abstractmethod
    def fingerprint(self, rows: np.ndarray) -> str:
        """A digest that changes when one of the images does."""

    @abstractmethod
    def digests(self, rows: np.ndarray) -> list[bytes] | None:
        """A digest of the content of each image, the pixels of an array or the bytes of a file.

        It is empty for a file that cannot be read. None if there are more than `MAX_BYTES`.
        """

    @abstractmethod
    def blocks(self, rows: np.ndarray) -> np.ndarray | None:
        """The block of each image, (N,), if reading block by block is faster; else None."""

    @abstractmethod
    def fetch(self, blocks: np.ndarray, num_threads: int) -> None:
        """Fetch what will be read, without waiting for it.

        Args:
            blocks: The next blocks, in the order in which they are read.
            num_threads: How many are fetched at the same time.
        """


class SubjectMasks(Protocol):
    """Knows where the subjects of images are; see `Subjects`."""

    @abstractmethod
    def mask(self, name: str) -> np.ndarray | None:
        """Which pixels of the image as it is read show the subject, boolean (H, W)."""


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Labelled images that can be read one by one; one split of a dataset.

    Attributes:
        reader: Reads the pixels.
        labels: Class index of each image, (N,) int64; `UNLABELLED` if it is unknown.
        names: Name of each image; unique, and the same on every machine. Becomes a `TextArray`.
        groups: The original that each image is a copy of; images of one group stay in one split.
            Empty if there are no copies. Becomes a `TextArray`.
        rows: Row of each image in the reader, (N,); by default all, in order.
        columns: Further columns of the table that lists the images, by name; N texts each.
        subjects: Where the subjects of the images are, by their names; None if it is not known.
        is_checked: Whether a check has looked at all bytes. If not, a damaged image ends the run.
    """

    reader: ImageReader
    labels: np.ndarray
    names: Sequence[str]
    groups: Sequence[str] = ()
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    subjects: SubjectMasks | None = None
    is_checked: bool = True

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.labels):
            object.__setattr__(self, "rows", np.arange(len(self.labels)))
        object.__setattr__(self, "names", text_array(self.names))
        object.__setattr__(self, "groups", text_array(self.groups))

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: int) -> np.ndarray:
        """The image at `index` as uint8 (H, W, C); see `ImageReader`.

        Raises:
            UnreadableImageError: If it cannot be read.
            DamagedImageError: If it is damaged, and no check has looked for that.
        """
        try:
            return self.reader.read(int(self.rows[index]))
        except UnreadableImageError as error:
            if self.is_checked or isinstance(error, MissingImageError):
                raise
            raise DamagedImageError(f"{error} {FOUND_LATE}") from None

    def take(self, indices: Sequence[int]) -> np.ndarray | None:
        """The images at `indices` at once, (N, H, W, C); see `ImageReader`."""
        return self.reader.take(self.rows[indices])

    def checks(self, title: str, quick: bool = False) -> list[Check] | None:
        """What is wrong with each image; see `ImageReader`."""
        return self.reader.checks(self.rows, title, quick)

    def blocks(self) -> np.ndarray | None:
        """The block of each image, (N,); see `ImageReader`."""
        return self.reader.blocks(self.rows)

    @cached_property
    def digests(self) -> list[bytes] | None:
        """A digest of the content of each image; see `ImageReader`."""
        return self.reader.digests(self.rows)

    def subject(self, index: int) -> np.ndarray | None:
        """Which pixels of the image at `index` show its subject, boolean (H, W).

        None if it is not known.
        """
        return self.subjects.mask(self.names[index]) if self.subjects else None

    def subset(self, indices: np.ndarray) -> Self:
        """The images at `indices`, in that order."""
        return replace(
            self,
            labels=self.labels[indices],
            names=text_array(self.names).take(indices),
            groups=text_array(self.groups).take(indices) if self.groups else (),
            rows=self.rows[indices],
            columns={name: texts[indices] for name, texts in self.columns.items()},
        )

    def fingerprint(self) -> str:
        """A digest that changes when an image, a name or a label does."""
        digest = hashlib.sha256(self.reader.fingerprint(self.rows).encode())
        digest.update(self.labels.tobytes())
        digest.update("\0".join(self.names).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:32]
