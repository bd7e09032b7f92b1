"""A new picture is a class and its two texts: the command line, the UI and the report know it."""

import base64
import json
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from matplotlib.figure import Figure

from callbacks.figure_kind import FigureKind
from callbacks.pictures import PICTURES, Picture
from lightning_app.cli.picture_options import picture_types
from lightning_app.commands.explain.options import drawable
from lightning_app.main import main
from lightning_app.pages.words import read_texts
from lightning_app.store.ui_view import TAG

CONFIG = Path(__file__).parents[2] / "configs" / "digits.yaml"
SMALL = ["--data.image_size=8", "--trainer.max_epochs=1", "--trainer.limit_train_batches=1"]


@dataclass(eq=False)
class Brightness(Picture):
    """Histogram of the brightness of the images."""

    name: ClassVar[str] = "brightness"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("brightness", "network", "Overview"),)

    bins: int = 10

    def draw(self, context):
        figure = Figure(figsize=(3, 2))
        figure.subplots().hist(context.sample(4)[0].flatten(), self.bins)
        yield self.name, figure
        yield "bins", self.bins


@pytest.fixture
def new_picture(monkeypatch):
    monkeypatch.setitem(PICTURES, "brightness", Brightness)
    texts = {"title": "Brightness", "read": "How bright the images are."}
    monkeypatch.setitem(read_texts("en")["pictures"], "brightness", texts)


def test_new_picture_is_an_option_a_chart_and_a_part_of_the_report(
    new_picture, workplace, client, parse
):
    shutil.copy(CONFIG, "digits.yaml")
    off = [f"--pictures.{name}=false" for name in picture_types() if name != "brightness"]
    main(["fit", "--config=digits.yaml", *SMALL, *off, "--pictures.brightness.bins=7"])

    experiment = client.get_experiment_by_name("digits")
    [run] = client.search_runs([experiment.experiment_id])
    assert run.data.metrics["val/bins"] == 7
    files = [file.path for file in client.list_artifacts(run.info.run_id, "images")]
    assert any(file.startswith("images/val~brightness+step+0+") for file in files)

    packed = experiment.tags[TAG].removeprefix("deflate;")
    view = json.loads(zlib.decompress(base64.b64decode(packed)))
    panels = {chart["uuid"]: chart["metricSectionId"] for chart in view["compareRunCharts"]}
    assert panels["val/brightness"] == "Overview"

    file = client.download_artifacts(run.info.run_id, "report.html")
    page = parse(Path(file).read_text("utf-8"))
    place = page.words.index("Brightness")
    assert page.words.index(read_texts("en")["headings"]["network"]) < place
    assert page.words.index("How bright the images are.") > place


def test_explain_offers_a_new_picture_unless_it_needs_labels(new_picture, monkeypatch):
    assert drawable()["brightness"] is Brightness
    monkeypatch.setattr(Brightness, "needs_labels", True)
    assert "brightness" not in drawable()
