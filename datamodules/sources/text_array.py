"""Text array: names and paths of millions of images in memory that processes share."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Self, overload

import numpy as np

CODING = ("utf-8", "surrogateescape")  # names of files may be no text
CHUNK = 65_536  # texts that are decoded at a time


class TextArray(Sequence[str]):
    """A sequence of texts, in one block of bytes and two arrays.

    Python counts the users of each string of a list in its memory. A loader process that uses one
    gets a copy of that memory: with a million names, hundreds of megabytes in each process.

    Args:
        texts: The texts.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        content, ends = bytearray(), [0]
        for text in texts:
            content += text.encode(*CODING)
            ends.append(len(content))
        self._content = bytes(content)
        edges = np.array(ends, np.int64)
        self._starts, self._ends = edges[:-1], edges[1:]

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> str | Self:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        return self._content[self._starts[index] : self._ends[index]].decode(*CODING)

    def __iter__(self) -> Iterator[str]:
        for first in range(0, len(self), CHUNK):
            chunk = slice(first, first + CHUNK)
            edges = zip(self._starts[chunk].tolist(), self._ends[chunk].tolist(), strict=True)
            yield from (self._content[start:end].decode(*CODING) for start, end in edges)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # pyright: ignore[reportAssignmentType] - it compares like a list

    def __repr__(self) -> str:
        return f"TextArray({list(self[:3])}{', …' * (len(self) > 3)}; {len(self):,} texts)"

    def take(self, indices: np.ndarray) -> Self:
        """The texts at `indices`, in that order; their bytes are not copied."""
        taken = type(self)()
        taken._content = self._content
        taken._starts, taken._ends = self._starts[indices], self._ends[indices]
        return taken


def text_array(texts: Sequence[str]) -> TextArray:
    """The texts as an array, which they may be already."""
    return texts if isinstance(texts, TextArray) else TextArray(texts)
