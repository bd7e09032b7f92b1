import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from callbacks.plots import plot_class_scores, plot_confusion_matrix, plot_filters, plot_overlays
from callbacks.plots.confusion.cells import Numbers
from callbacks.plots.drawing.grid_version import DPI, INCHES, MAX_TILES, TILES, grid_version
from callbacks.plots.drawing.page import Picture
from callbacks.tracking import log_step_figure
from lightning_app.store.run_logger import RunLogger

WIDTH = 255  # pixels of a picture in MLflow's grid, beside those of two other runs
LEGIBLE = 9  # pixels: least height of letters there


def letters(figure):
    """Height in pixels of each text in the grid, by the text."""
    FigureCanvasAgg(figure).draw()
    scale = WIDTH / (figure.get_figwidth() * figure.dpi)
    texts = [text for text in figure.findobj(match=lambda a: hasattr(a, "get_fontsize"))]
    return {
        text.get_text(): text.get_fontsize() / 72 * figure.dpi * scale
        for text in texts
        if text.get_text() and text.get_visible()
    }


@pytest.fixture
def matrix():
    counts = np.diag([30] * 10)
    counts[3, 5] = 6
    return plot_confusion_matrix(counts, [str(k) for k in range(10)], "ten digits", True)


def test_letters_are_legible_at_the_width_of_the_grid(matrix):
    assert letters(matrix)["ten digits"] < LEGIBLE
    small = letters(grid_version(matrix))
    assert min(small.values()) >= LEGIBLE
    assert {"predicted", "true", "0", "9"} <= small.keys()
    [numbers] = grid_version(matrix).findobj(Numbers)
    assert {"100", "17"} <= set(numbers.texts.flat)
    assert numbers.font.get_size() / 72 * DPI >= LEGIBLE


def test_a_large_matrix_is_drawn_without_names():
    figure = plot_confusion_matrix(np.eye(40, dtype=int), [f"class {k}" for k in range(40)], "", 1)
    assert letters(grid_version(figure)).keys() == {"predicted", "true"}


def test_only_the_lowest_classes_are_named():
    scores = {name: np.linspace(1, 0, 30) for name in ("precision", "recall", "f1", "low", "high")}
    scores["support"] = np.full(30, 5)
    names = [f"class {k}" for k in range(30)]
    small = letters(grid_version(plot_class_scores(scores, names, "title")))
    assert {name for name in small if name.startswith("class")} == set(names[18:])


def test_a_sheet_shows_its_first_images_with_a_word_each():
    images, maps = np.zeros((16, 8, 8, 1)), np.ones((16, 8, 8))
    captions = [f"name {k}\nnot another name" for k in range(16)]
    figure = grid_version(plot_overlays(images, maps, captions, ["black"] * 16, "title"))
    assert len(figure.findobj(Picture)) == TILES
    assert [text.get_text() for text in figure.texts] == [f"name {k}" for k in range(TILES)]


def test_a_mosaic_shows_its_first_filters_without_words():
    figure = grid_version(plot_filters(np.random.default_rng(0).normal(size=(200, 3, 3)), "title"))
    assert letters(figure) == {}
    assert figure.get_figwidth() == pytest.approx(INCHES)
    side = int(MAX_TILES**0.5)
    [picture] = figure.findobj(Picture)
    sheet = picture.pixels
    black = (sheet < 80).all(axis=(1, 2)).astype(int)  # rows between tiles
    assert (np.diff(black) == 1).sum() == side - 1


def test_other_figures_have_none():
    assert grid_version(Figure()) is None


def test_files_have_the_names_that_mlflow_gives(matrix, client, make_trainer):
    logger = RunLogger("grid")
    trainer = make_trainer(logger=logger)
    log_step_figure(trainer, matrix, "val/confusion_matrix", 3)
    log_step_figure(trainer, Figure((1, 1)), "val/other", 3)
    files = [file.path for file in logger.experiment.list_artifacts(logger.run_id, "images")]
    names = {re.sub(r"\d{9,}|[0-9a-f-]{36}|confusion_matrix|other", "", file) for file in files}
    start = "images/val~+step+3+timestamp++"
    assert names == {f"{start}.png", f"{start}+compressed.webp"}
    assert len(files) == 4
    assert client.get_run(logger.run_id).data.tags["mlflow.loggedImages"] == "True"
