import re
from html.parser import HTMLParser

import pytest

from lightning_app.commands.prepare.check.charts import bubbles
from lightning_app.commands.prepare.check.check import check

ODD = '<u>"it\'s" & so on'


class Tags(HTMLParser):
    """Counts tags, and checks that each is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.sources = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "wbr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def page(sound, save, tmp_path):
    """The report on a dataset with copies, an unreadable file and names that look like HTML."""

    def write():
        for number in range(30):
            save(f"train/cat/{ODD}{number}.webp", 900 + number, format="PNG")
        save(f"val/cat/{ODD}.png", 1)
        (sound / "train/dog/\x1b[31mred\udcff.txt").write_text("a")
        (sound / "train/dog/empty.jpg").write_bytes(b"")
        file = tmp_path / "out" / "page.html"
        with pytest.raises(SystemExit):
            check([str(sound), "--out", str(file), "--processes", "1"])
        return file.read_text("utf-8")

    return write


def test_page_is_well_formed_and_needs_nothing_else(page):
    tags = Tags()
    tags.feed(page())
    assert tags.open == []
    assert tags.seen.count("img") == 24 + 2
    assert "script" not in tags.seen
    assert all(source.startswith(("data:image/jpeg;base64,", "#")) for source in tags.sources)


def test_names_are_escaped(page):
    text = page()
    assert "<u>" not in text
    assert "&lt;u&gt;&#34;it&#39;s&#34; &amp; so on.png" in text
    assert "\x1b" not in text


def test_thumbnails_are_limited(page):
    text = page()
    assert re.search(
        r"<h3>Files with the ending of another format</h3><span class=.count.>30<", text
    )
    assert "and 6 more" in text
    assert "cannot be shown" in text


def test_nothing_else_is_left_in_the_folder(page, tmp_path):
    page()
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["page.html"]


def test_bubbles_stand_where_their_size_is():
    chart = bubbles({(100, 200): 9, (101, 200): 1, (400, 50): 1})
    assert chart.x_ticks[-1] == (640, "500")
    assert chart.y_ticks[-1] == (0, "250")
    first, second = chart.bubbles
    assert (first.x, first.y, first.radius) == (128, 60, 16)
    assert first.text == "100 x 200 and sizes near it: 10 images"
    assert (second.x, second.y) == (512, 240)
    assert second.text == "400 x 50: 1 image"
