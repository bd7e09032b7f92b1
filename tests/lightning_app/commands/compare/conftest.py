"""The console output and the page of a comparison."""

from pathlib import Path

import pytest

from lightning_app.commands.compare import compare_page
from lightning_app.main import main


@pytest.fixture
def compared(workplace, parse, capsys, monkeypatch):
    """Compare runs; returns the output and the parsed page, with figures if asked for."""

    def compare(*arguments, figures=False):
        with monkeypatch.context() as patch:
            if not figures:  # to draw them takes longer than everything else
                patch.setattr(compare_page, "plot_pair", lambda *arguments: {})
            main(["compare", *arguments, "--out", "page.html"])
        return capsys.readouterr().out, parse(Path("page.html").read_text("utf-8"))

    return compare
