"""Fixtures for tests of the application: stored runs without training, HTML pages, ablations."""

import base64
import csv
import io
import json
import os
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from PIL import Image

from lightning_app.cli.child_runs.child_run import ChildRunFailed
from lightning_app.cli.child_runs.runner import Runner
from lightning_app.main import main

CLASSES = ("cat", "dog", "owl")
VOID_TAGS = ("meta", "img", "input", "link", "br", "wbr")


class Page(HTMLParser):
    """Parsed HTML page; fails if a tag is not closed.

    Attributes:
        source: The HTML.
        tags: Name and attributes of each tag, in order.
        words: Each piece of visible text, in order.
    """

    def __init__(self, text):
        super().__init__()
        self.source, self.open, self.tags, self.words = text, [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"] and data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self):
        return "\n".join(self.words)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def images(self):
        return [decoded(image["src"]) for image in self.all("img")]


def decoded(uri):
    data = base64.b64decode(uri.split("base64,")[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.fixture
def parse():
    """Function that parses an HTML page."""
    return Page


@pytest.fixture
def make_run(client):
    """Function that stores a run with given parameters, metrics, tables and final status."""

    def make(params=(), metrics=(), tables=(), status="FINISHED", name="net-1a2b"):
        experiment = client.get_experiment_by_name("hand")
        number = experiment.experiment_id if experiment else client.create_experiment("hand")
        run_id = client.create_run(number, run_name=name).info.run_id
        now = int(1000 * time.time())
        client.log_batch(  # one transaction
            run_id,
            metrics=[Metric(key, value, now, 0) for key, value in dict(metrics).items()],
            params=[Param(key, str(value)) for key, value in dict(params).items()],
        )
        for file, columns in dict(tables).items():
            content = {
                "columns": list(columns),
                "data": [list(row) for row in zip(*columns.values(), strict=True)],
            }
            client.log_text(run_id, json.dumps(content), f"tables/{file}.json")
        client.set_terminated(run_id, status)
        return run_id

    return make


@pytest.fixture
def add_split(client):
    """Function that logs the class counts of a split as a dataset of a run."""

    def add(run_id, split, counts):
        profile = {"num_images": sum(counts.values()), "class_counts": counts}
        dataset = Dataset(f"Hand/{split}", "0123abcd", "local", "{}", profile=json.dumps(profile))
        tags = [InputTag("mlflow.data.context", split)]
        client.log_inputs(run_id, [DatasetInput(dataset, tags)])

    return add


@pytest.fixture
def in_this_process(monkeypatch):
    """Ablations run their child runs in this process; the list of their commands and names."""
    commands = []

    def start(self, command, child, more, environment, log):
        commands.append((command, child.name))
        try:
            with monkeypatch.context() as patch:
                for name in environment.keys() - os.environ.keys():
                    patch.setenv(name, environment[name])
                main([command, *child.arguments, *more])
        except SystemExit as error:
            raise ChildRunFailed(f"`{command}` ended with status {error.code}") from error

    monkeypatch.setattr(Runner, "_start", start)
    return commands


@pytest.fixture
def add_predictions(client):
    """Function that stores predictions, given as rows of (image, label, predicted, confidence)."""

    def add(run_id, rows, split="test"):
        text = io.StringIO()
        csv.writer(text).writerows([("image", "label", "predicted", "confidence"), *rows])
        client.log_text(run_id, text.getvalue(), f"predictions/{split}.csv")

    return add


@pytest.fixture
def make_tested(make_run, add_predictions):
    """Function that stores a run with predictions, one letter per image: `c`at, `d`og or `o`wl."""

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
