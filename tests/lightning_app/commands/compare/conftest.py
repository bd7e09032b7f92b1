"""Runs with predictions, written by hand."""

import csv
import io
from pathlib import Path

import pytest

from lightning_app.commands.compare import compare_page
from lightning_app.main import main

CLASSES = ("cat", "dog", "owl")


@pytest.fixture
def add_predictions(client):
    """Store rows of (image, label, predicted, confidence)."""

    def add(run_id, rows, split="test"):
        text = io.StringIO()
        csv.writer(text).writerows([("image", "label", "predicted", "confidence"), *rows])
        client.log_text(run_id, text.getvalue(), f"predictions/{split}.csv")

    return add


@pytest.fixture
def make_tested(make_run, add_predictions):
    """Make a run that was tested, from one letter per predicted image: `c`at, `d`og or `o`wl."""

    def make(name, letters, labels="ccddoo", split="test", **options):
        run_id = make_run(name=name, **options)
        names = {name[0]: name for name in CLASSES}
        rows = [
            (f"{index}.png", names[label], names[predicted], 0.5 + index / 100)
            for index, (label, predicted) in enumerate(zip(labels, letters, strict=True))
        ]
        add_predictions(run_id, rows, split)
        return run_id

    return make


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
