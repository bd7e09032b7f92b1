"""The search for markers between the pixels of a JPEG file."""

import random

import pytest

from datamodules.sources import jpeg
from datamodules.sources.jpeg import MARKER


@pytest.mark.parametrize("piece", [1, 2, 7, 2**17])
def test_markers_are_those_of_the_plain_search_wherever_the_pieces_end(monkeypatch, piece):
    monkeypatch.setattr(jpeg, "PIECE", piece)
    draw = random.Random(0)
    for length in [0, 1, 2, *[20] * 300]:
        # Pixels, a stuffed byte, a restart, the end, a fill byte.
        data = bytes(draw.choices(b"\x12\x00\xd3\xd9\xff", (9, 9, 9, 1, 6), k=length))
        found, expected = jpeg._marker_in_pixels(data, 1), MARKER.search(data, 1)
        assert (found and found.span()) == (expected and expected.span())
