"""The console output and the page of a comparison."""

from pathlib import Path

import pytest

from lightning_app.main import main


@pytest.fixture
def compared(workplace, parse, capsys):
    """What the console says, and the page, parsed."""

    def compare(*arguments):
        main(["compare", *arguments, "--out", "page.html"])
        return capsys.readouterr().out, parse(Path("page.html").read_text("utf-8"))

    return compare
