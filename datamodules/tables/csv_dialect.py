"""Dialect of a CSV file: its encoding, its delimiter, and the lines before its table."""

import codecs
import csv
import lzma
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsspec.compression import compr
from fsspec.utils import infer_compression

from datamodules.sources.file_kinds import BYTES, kind_of

DELIMITERS = (",", ";", "\t", "|")
HEAD = 2**16  # bytes that are looked at
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Errors of compressed files.
DAMAGED = (EOFError, OSError, lzma.LZMAError, zlib.error, tarfile.TarError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        delimiter: The character between two values.
        encoding: Python's name of its encoding; a byte-order mark is not part of the text.
        skipped: Lines before the table: comments that begin with `#`, and Excel's `sep=;`.
    """

    delimiter: str = ","
    encoding: str = "utf-8-sig"
    skipped: int = 0


def dialect_of(file: Path, delimiter: str | None = None) -> Dialect:
    """The dialect of a file, compressed or not, from its first lines.

    Args:
        file: A file; if it is damaged, whoever parses it reports that.
        delimiter: The character between two values; None to find it.

    Raises:
        ValueError: If the delimiter is not one character.
    """
    if delimiter is not None and len(delimiter) != 1:
        raise ValueError(f"Expected the delimiter to be one character, got {delimiter!r}.")
    head = _head(file)
    encoding = _encoding(head)
    lines = head.decode(encoding, "replace").splitlines()
    if len(head) == HEAD and len(lines) > 1:
        lines.pop()  # the last one is cut
    skipped = _lines_before(lines)
    stated = lines[0][4:] if lines and lines[0].lower().startswith("sep=") else ""
    found = delimiter or (stated if len(stated) == 1 else _delimiter(lines[skipped:]))
    return Dialect(found, encoding, skipped)


def other_kind(file: Path) -> str:
    """What a file is that is named as CSV, such as `a web page`; empty if it may be CSV."""
    if infer_compression(file.name) is not None:
        return ""
    start = _head(file)[:BYTES]
    if start.startswith((b"PAR1", b"ARROW1")):
        return "a Parquet or Arrow file; let its name end in .parquet or .arrow"
    kind = kind_of(start)
    return "" if kind == "a text" else kind


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            kind = infer_compression(file.name)
            if kind is None:
                return stream.read(HEAD)
            openers: Any = compr
            with openers[kind](stream, mode="rb") as opened:
                return opened.read(HEAD)
    except (ImportError, ValueError, IndexError, *DAMAGED):
        return b""


def _encoding(head: bytes) -> str:
    """UTF-8, or UTF-16 as Excel writes `Unicode text`, with its mark or by its zero bytes."""
    if head.startswith(UTF_16):
        return "utf-16"
    for encoding, zeros, others in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        part = head[:200]
        if len(part) > 3 and not any(part[zeros::2]) and all(part[others::2]):
            return encoding
    return "utf-8-sig"


def _lines_before(lines: list[str]) -> int:
    """Comments that begin with `#` and Excel's `sep=;`; a header that begins with `#` is none."""
    count = int(bool(lines) and lines[0].lower().startswith("sep="))
    while count + 1 < len(lines) and lines[count].startswith("#"):
        following = lines[count + 1]
        mark = next((mark for mark in DELIMITERS if mark in following), None)
        is_header = mark and lines[count].count(mark) == following.count(mark)
        if is_header and not following.startswith("#"):
            break
        count += 1
    return count


def _delimiter(lines: list[str]) -> str:
    """The first delimiter that divides all lines alike, or else the most frequent of line one."""
    for mark in DELIMITERS:
        try:
            widths = {len(row) for row in csv.reader(lines, delimiter=mark) if row}
        except csv.Error:  # a value of more than 128 KiB
            break
        if len(widths) == 1 and widths.pop() > 1:
            return mark
    first = lines[0] if lines else ""
    return max(DELIMITERS, key=first.count)
