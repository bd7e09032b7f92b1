"""JPEG files by their markers: where their pixels end, and what their header says; no decoding."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

JPEG_START = b"\xff\xd8"
# Not a stuffed byte of the pixels (00), nor a restart within them (D0 to D7).
MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
PROFILE = b"ICC_PROFILE\0"
END, SCAN, APP2, HUFFMAN = 0xD9, 0xDA, 0xE2, 0xC4
LAST = b"\xff\xd9"  # the marker END
FILL = b"\xff"  # any number of them may stand before a marker
PIECE = 2**17  # bytes that are searched at a time: they stay in the processor's own memory
NO_TABLES = {*range(0xE0, 0xEE), 0xEF, 0xFE}  # notes of cameras and programs, and comments
FRAMES = {*range(0xC0, 0xD0)} - {HUFFMAN, 0xC8, 0xCC}  # starts of frames
BASELINE, PROGRESSIVE = (0xC0, 0xC1), 0xC2
LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
WITHOUT_LENGTH = (0x01, 0xD8)


class JpegHeader(NamedTuple):
    """What stands before the pixels.

    Attributes:
        kind: Marker of the frame: baseline (C0, C1), progressive (C2), or one of the rare kinds.
        width: In pixels.
        height: In pixels.
        bits: Per channel.
        channels: 1 for grey, 3 for colours, 4 for printing colours.
        scan_channels: Channels of the first scan; all of them in nearly all files.
        num_blocks: Units that the pixels are coded in, at least a bit each.
        pixels_at: Place of the first coded pixels.
        profile: The colour profile (ICC); empty if there is none.
        segments: Marker of each segment, and where its content starts and ends.
    """

    kind: int
    width: int
    height: int
    bits: int
    channels: int
    scan_channels: int
    num_blocks: int
    pixels_at: int
    profile: bytes
    segments: list[tuple[int, int, int]]

    @property
    def is_usual(self) -> bool:
        """Whether the header and the end of the pixels tell if it can be decoded."""
        all_channels = self.channels == self.scan_channels
        return self.kind in BASELINE and self.bits == 8 and self.channels in (1, 3) and all_channels

    def has_pixels(self, num_bytes: int) -> bool:
        """Whether so many coded bytes can be all of its pixels."""
        return self.kind not in (*BASELINE, PROGRESSIVE) or 8 * num_bytes >= self.num_blocks


def read_jpeg_header(data: bytes) -> JpegHeader | None:
    """The header of a JPEG file; None if the file ends before its pixels, or names no size."""
    frame, profile, segments = None, {}, []
    for segment in _segments(data, 2):
        marker, start, end = segment
        segments.append(segment)
        if marker in FRAMES and frame is None:
            frame = marker, start
        elif marker == APP2 and data.startswith(PROFILE, start) and end - start > len(PROFILE) + 2:
            number = start + len(PROFILE)
            profile[data[number]] = data[number + 2 : end]
        elif marker == SCAN:
            parts = b"".join(profile[number] for number in sorted(profile))
            if frame is None or end >= len(data):
                return None
            return _header(data, frame, end, data[start], parts, segments)
    return None


def jpeg_fault(data: bytes, header: JpegHeader | None) -> str | None:
    """Why a JPEG file has not all of its pixels: decoders fill them silently. None if it has.

    What follows the end of the pixels does not count: phones append videos, cameras previews.
    """
    if header is None:
        return "is truncated: it ends before its pixels"
    coded, last = _coded_bytes(data, header.pixels_at)
    if last is None:
        return "is truncated: its end is missing"
    if last != END:
        return f"is damaged: the marker {last:02X} is among its pixels"
    if not header.has_pixels(coded):
        return f"is truncated: {coded} coded bytes are too few for its size"
    return None


def unread_jpeg(data: bytes) -> str:
    """Why a decoder does not read an image, to follow its name: a rare kind of JPEG, or damage."""
    header = read_jpeg_header(data) if data.startswith(JPEG_START) else None
    if header is None or (header.kind in (*BASELINE, PROGRESSIVE) and header.bits == 8):
        return "is broken"
    kind = "lossless" if header.kind in LOSSLESS else "rare"
    return f"is a {kind} JPEG of {header.bits} bits per channel"


def probe(data: bytes, header: JpegHeader) -> bytes:
    """A tiny JPEG file with the same tables: a decoder refuses it if it would refuse the whole."""
    parts = [JPEG_START]
    for marker, start, end in header.segments:
        content = data[start - 2 : end]
        if marker in FRAMES:
            content = b"%b\0\x01\0\x01%b" % (content[:3], content[7:])
        if marker not in NO_TABLES:
            parts.append(b"\xff%c%b" % (marker, content))
    return b"".join((*parts, bytes(64), LAST))


def bytes_of_one_scan(data: bytes, header: JpegHeader) -> int | None:
    """Bytes of the pixels; None if a table or another scan follows the first, or no end."""
    match = _marker_in_pixels(data, header.pixels_at)
    if match is None or match[1][0] != END:
        return None
    return match.start() - header.pixels_at


def _coded_bytes(data: bytes, place: int) -> tuple[int, int | None]:
    """Bytes of the pixels, which begin at a place, and the marker where they end.

    This is END; None if the file ends before it; or one that does not belong there: what follows it
    is neither a marker nor pixels. A decoder stops at it, and fills the rest with grey.
    """
    coded, before = 0, SCAN
    while match := _marker_in_pixels(data, place):
        if before != SCAN and data[place : match.start()].strip(FILL):
            return coded, before
        coded += match.start() - place
        before, place = match[1][0], match.end()
        if before == END or before in WITHOUT_LENGTH:
            return coded, before
        place += int.from_bytes(data[place : place + 2])  # tables, or the header of another scan
    return coded, before if before != SCAN and data.endswith(LAST) else None


def _marker_in_pixels(data: bytes, place: int) -> re.Match[bytes] | None:
    """The first marker from a place on: as `MARKER.search`, which takes three times as long."""
    for start in range(place, len(data) - 1, PIECE):
        pairs = np.frombuffer(data, np.uint8, min(PIECE, len(data) - 1 - start) + 1, start)
        may_be = (pairs[:-1] == 0xFF) & (pairs[1:] != 0)
        first = int(may_be.argmax())
        if may_be[first]:  # or a restart: the search passes it
            return MARKER.search(data, start + first)
    return None


def _segments(data: bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """Marker of each segment of the header, and where its content starts and ends."""
    while match := MARKER.search(data, place):
        place = match.end()
        marker = data[place - 1]
        if marker == END:
            return
        if marker not in WITHOUT_LENGTH:
            if (start := place + 2) > len(data):
                return
            place = max(start, place + (data[place] << 8 | data[place + 1]))
            yield marker, start, place


def _header(
    data: bytes,
    frame: tuple[int, int],
    pixels_at: int,
    scan_channels: int,
    profile: bytes,
    segments: list[tuple[int, int, int]],
) -> JpegHeader:
    kind, at = frame
    bits, channels = data[at], data[at + 5]
    height, width = int.from_bytes(data[at + 1 : at + 3]), int.from_bytes(data[at + 3 : at + 5])
    sampling = set(data[at + 7 : at + 6 + 3 * channels : 3])
    across = max((byte >> 4 for byte in sampling), default=1) or 1
    down = max((byte & 15 for byte in sampling), default=1) or 1
    blocks = -(-width // (8 * across)) * -(-height // (8 * down))
    return JpegHeader(
        kind, width, height, bits, channels, scan_channels, blocks, pixels_at, profile, segments
    )
