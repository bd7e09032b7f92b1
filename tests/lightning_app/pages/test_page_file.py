"""File of an HTML page: checked before the work, written atomically."""

from pathlib import Path

import pytest

from lightning_app.pages.page_file import check_page_file, write_html


def test_checking_a_file_creates_nothing(tmp_path):
    check_page_file(None)
    check_page_file(tmp_path / "a" / "b" / "page.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["/proc/x.html", "file/x.html", f"{'x' * 300}/x.html"])
def test_file_that_cannot_be_written_is_an_error(tmp_path, name):
    (tmp_path / "file").touch()
    file = tmp_path / name
    for refused in (lambda: check_page_file(file), lambda: write_html(file, "page")):
        with pytest.raises(
            ValueError, match=r"cannot be written to .*x\.html \(.*another"
        ) as error:
            refused()
        assert f"The HTML page cannot be written to {file} (" in str(error.value)
        assert "; name another file with --out." in str(error.value)


def test_folder_is_an_error(tmp_path):
    folder = Path(tmp_path, "page.html")
    folder.mkdir()
    with pytest.raises(ValueError, match=r"page\.html is a folder; name a file for the HTML page"):
        check_page_file(folder)
