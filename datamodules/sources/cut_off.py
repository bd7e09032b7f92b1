"""Files whose end is missing: decoders fill it silently."""

from datamodules.sources.jpeg import JPEG_START, jpeg_fault, read_jpeg_header

PNG_END = b"IEND\xaeB`\x82"
GIF_FRAME = 0x2C


def is_cut_off(data: bytes) -> bool:
    """Whether the end of a JPEG, PNG, WebP or GIF file is missing; decoders fill it silently.

    Of a GIF file, only the first frame has to be whole: no other is read.
    """
    if data.startswith(JPEG_START):
        return jpeg_fault(data, read_jpeg_header(data)) is not None
    if data.startswith(b"\x89PNG"):
        return PNG_END not in data
    if data.startswith(b"RIFF"):
        return len(data) < int.from_bytes(data[4:8], "little")
    return data.startswith(b"GIF8") and not _has_gif_frame(data)


def _has_gif_frame(data: bytes) -> bool:
    """Whether the blocks of a GIF file lead to the end of its first frame."""
    place, is_frame = 13 + _gif_colours(data, 10), False
    while place < len(data) and not is_frame:
        is_frame = data[place] == GIF_FRAME
        place += 11 + _gif_colours(data, place + 9) if is_frame else 2
        while place < len(data) and data[place]:
            place += 1 + data[place]
        place += 1
    return is_frame and place <= len(data)


def _gif_colours(data: bytes, place: int) -> int:
    """Bytes of the colour table that the flags at this place announce."""
    flags = data[place] if place < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 128 else 0
