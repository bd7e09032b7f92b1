"""Files whose end is missing: decoders fill it silently."""

from datamodules.sources.jpeg import JPEG_START, jpeg_fault, read_jpeg_header

PNG_END = b"IEND\xaeB`\x82"
GIF_FRAME, GIF_END = 0x2C, 0x3B


def is_cut_off(data: bytes) -> bool:
    """Whether the end of a JPEG, PNG, WebP or GIF file is missing; decoders fill it silently."""
    if data.startswith(JPEG_START):
        return jpeg_fault(data, read_jpeg_header(data)) is not None
    if data.startswith(b"\x89PNG"):
        return PNG_END not in data
    if data.startswith(b"RIFF"):
        return len(data) < int.from_bytes(data[4:8], "little")
    return data.startswith(b"GIF8") and not _has_gif_end(data)


def _has_gif_end(data: bytes) -> bool:
    """Whether the blocks of a GIF file lead to its last byte."""
    place = 13 + _gif_colours(data, 10)
    while place < len(data) and data[place] != GIF_END:
        is_frame = data[place] == GIF_FRAME
        place += 11 + _gif_colours(data, place + 9) if is_frame else 2
        while place < len(data) and data[place]:
            place += 1 + data[place]
        place += 1
    return place < len(data)


def _gif_colours(data: bytes, place: int) -> int:
    """Bytes of the colour table that the flags at this place announce."""
    flags = data[place] if place < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 128 else 0
