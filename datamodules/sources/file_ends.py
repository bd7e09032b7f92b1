"""Ends of image files: a look at very many files that reads a few of their bytes."""

from datamodules.names import is_text
from datamodules.sources.decode import Check, check_file
from datamodules.sources.image_limits import UnreadableImageError, read_parts
from datamodules.sources.jpeg import LAST
from datamodules.sources.jpeg_pixels import has_sound_ends

HEAD = 2**14  # bytes, with the tables of nearly all JPEG files that have no preview
SOUND_ENDS = Check(ends_only=True)


def check_ends(file: str) -> Check:
    """Look at the tables and the last bytes of a JPEG file; other files are checked in full.

    Of damage between them nothing is known: the bytes there are not read.

    Args:
        file: Path of the file.

    Returns:
        `SOUND_ENDS`, or what `check_file` says of all others.
    """
    try:
        head, tail, size = read_parts(file, HEAD, len(LAST))
    except UnreadableImageError as error:
        return Check(str(error)) if is_text(file) else check_file(file)
    are_sound = size > HEAD and has_sound_ends(head, tail, size) and is_text(file)
    return SOUND_ENDS if are_sound else check_file(file)
