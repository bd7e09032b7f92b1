"""Runs with predictions, written by hand."""

import csv
import io
from pathlib import Path

import pytest

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
    """Make a run that was tested; a letter an image tells what it says: `c`at, `d`og or `o`wl."""

    def make(name, said, labels="ccddoo", split="test", **options):
        run_id = make_run(name=name, **options)
        names = {name[0]: name for name in CLASSES}
        rows = [
            (f"{index}.png", names[label], names[predicted], 0.5 + index / 100)
            for index, (label, predicted) in enumerate(zip(labels, said, strict=True))
        ]
        add_predictions(run_id, rows, split)
        return run_id

    return make


@pytest.fixture
def compared(workplace, parse, capsys):
    """What the console says, and the page, parsed."""

    def compare(*arguments):
        main(["compare", *arguments, "--out", "page.html"])
        return capsys.readouterr().out, parse(Path("page.html").read_text("utf-8"))

    return compare
