"""Where a page goes."""

from pathlib import Path

import pytest

from lightning_app.pages.page_file import check_page_file, write_file


def test_place_that_can_be_written_is_left_as_it_is(tmp_path):
    check_page_file(None)
    check_page_file(tmp_path / "a" / "b" / "page.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["/proc/x.html", "file/x.html", f"{'x' * 300}/x.html"])
def test_place_that_cannot_be_written_is_an_error(tmp_path, place):
    (tmp_path / "file").touch()
    file = tmp_path / place
    for refused in (lambda: check_page_file(file), lambda: write_file(file, "page")):
        with pytest.raises(
            ValueError, match=r"cannot be written to .*x\.html \(.*another"
        ) as error:
            refused()
        assert f"The page cannot be written to {file} (" in str(error.value)
        assert "; name another file with --out." in str(error.value)


def test_folder_is_no_place_for_a_page(tmp_path):
    folder = Path(tmp_path, "page.html")
    folder.mkdir()
    with pytest.raises(ValueError, match=r"page\.html is a folder; name a file for the page"):
        check_page_file(folder)
