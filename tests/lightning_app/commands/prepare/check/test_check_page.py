"""HTML page of a data check."""

import re

import pytest

from lightning_app.commands.prepare.check.check import check
from lightning_app.commands.prepare.check.image_sizes import count_sizes

ODD = '<u>"it\'s" & so on'


@pytest.fixture
def page(sound, save, tmp_path, parse):
    """The page of a dataset with copies, an unreadable file and names that look like HTML."""

    def write():
        for number in range(30):
            save(f"train/cat/{ODD}{number}.webp", 900 + number, format="PNG")
        save(f"val/cat/{ODD}.png", 1)
        (sound / "train/dog/\x1b[31mred\udcff.txt").write_text("a")
        (sound / "train/dog/empty.jpg").write_bytes(b"")
        file = tmp_path / "out" / "page.html"
        with pytest.raises(SystemExit):
            check([str(sound), "--out", str(file), "--processes", "1"])
        return parse(file.read_text("utf-8"))

    return write


def test_page_is_well_formed_and_self_contained(page):
    page = page()
    assert len(page.all("img")) == 24 + 2
    assert "script" not in {tag for tag, _ in page.tags}
    sources = [a[key] for _, a in page.tags for key in ("src", "href") if key in a]
    assert all(source.startswith(("data:image/webp;base64,", "#")) for source in sources)


def test_thumbnails_have_the_size_and_the_colours_of_their_images(page, photograph):
    images = page().images()
    assert all(image.shape == (64, 64, 3) for image in images)  # smaller ones are not enlarged
    expected = photograph(1).astype(float)  # the first image of the first finding: two copies
    assert min(abs(image - expected).mean() for image in images) < 8


def test_names_are_escaped(page):
    source = page().source
    assert "<u>" not in source
    assert "&lt;u&gt;&#34;it&#39;s&#34; &amp; so on.png" in source
    assert "\x1b" not in source


def test_number_of_thumbnails_is_limited(page):
    page = page()
    assert re.search(
        r"<h3>Files with the ending of another format</h3><span class=.count.>30<", page.source
    )
    assert "and 6 more" in page.words
    assert "cannot be shown" in page.words


def test_page_counts_images_per_class_and_split(page):
    words = page().words
    for expected in ("train: 43 images", "val: 5 images", "test: 4 images"):
        assert expected in words
    place = words.index("cat", words.index("Images per class"))
    assert words[place : place + 4] == ["cat", "36", "3", "2"]


def test_no_other_file_is_left_in_the_folder(page, tmp_path):
    page()
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["page.html"]


def test_few_image_sizes_are_counted_one_by_one():
    counts = count_sizes({(400, 50): 1, (100, 200): 9})
    assert counts == (True, [((100, 200), 9), ((400, 50), 1)])


def test_many_image_sizes_are_counted_by_the_shorter_side():
    sizes = {(side, 300): 1 for side in range(60, 70)} | {(500, 256): 5}
    assert count_sizes(sizes) == (
        False,
        [((32, 63), 4), ((64, 127), 6), ((128, 255), 0), ((256, 511), 5)],
    )
