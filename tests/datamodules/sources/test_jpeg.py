"""The search for markers between the pixels of a JPEG file."""

import io
import random

import cv2
import numpy as np
import pytest
from PIL import Image

from datamodules.sources import jpeg
from datamodules.sources.decode import check_file, decode
from datamodules.sources.image_limits import UnreadableImageError
from datamodules.sources.jpeg import MARKER
from models.export.image_jpeg import coded_bytes


@pytest.mark.parametrize("piece", [1, 2, 7, 2**17])
def test_markers_are_those_of_the_plain_search_wherever_the_pieces_end(monkeypatch, piece):
    monkeypatch.setattr(jpeg, "PIECE", piece)
    draw = random.Random(0)
    for length in [0, 1, 2, *[20] * 300]:
        # Pixels, a stuffed byte, a restart, the end, a fill byte.
        data = bytes(draw.choices(b"\x12\x00\xd3\xd9\xff", (9, 9, 9, 1, 6), k=length))
        found, expected = jpeg._marker_in_pixels(data, 1), MARKER.search(data, 1)
        assert (found and found.span()) == (expected and expected.span())


def noise():
    """The bytes of a JPEG of noise, and the place in the middle of its pixels."""
    stream = io.BytesIO()
    Image.effect_noise((96, 96), 50).save(stream, "JPEG", quality=95)
    return stream.getvalue(), len(stream.getvalue()) // 2


@pytest.mark.parametrize(
    "marker",
    [b"\xff\xc4\0\x08", b"\xff\xc4\xf0\0", b"\xff\xe0\0\2", b"\xff\xd8", b"\xff\x01"],
)
def test_a_marker_among_the_pixels_is_damage_though_decoders_go_on(tmp_path, marker):
    data, half = noise()
    damaged = data[:half] + marker + data[half + len(marker) :]
    decoded = cv2.imdecode(np.frombuffer(damaged, np.uint8), 0)
    assert decoded is not None
    assert decoded[-8:].std() < 1  # grey
    text = f"is damaged: the marker {marker[1]:02X} is among its pixels"
    with pytest.raises(UnreadableImageError, match=text):
        decode(damaged, 3, "a.jpg")
    (tmp_path / "a.jpg").write_bytes(damaged)
    assert text in check_file(tmp_path / "a.jpg").fault
    assert coded_bytes(damaged) == 0


def test_tables_and_notes_behind_the_pixels_are_none():
    data, _ = noise()
    followed = data[:-2] + b"\xff\xfe\0\x06note" + b"\xff" * 3 + b"\xe5\0\x02" + data[-2:]
    assert decode(followed, 1, "a").tolist() == decode(data, 1, "a").tolist()
    assert coded_bytes(followed) >= coded_bytes(data) > 0
