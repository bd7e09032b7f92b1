import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.transforms import Bbox

from callbacks.plots import (
    BAD,
    GOOD,
    plot_augmentations,
    plot_class_counts,
    plot_class_counts_twice,
    plot_class_samples,
    plot_contact_sheet,
    plot_curves,
    plot_overlays,
)
from callbacks.plots.drawing.colour_bar import ColourBar
from callbacks.plots.drawing.page import Picture


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_sheet_places_tiles_row_by_row():
    tiles = np.stack([np.full((2, 2, 3), value) for value in (0.1, 0.2, 0.3)])
    figure = plot_contact_sheet(tiles, ["a", "b", "c"], columns=2, title="t")
    pictures = figure.findobj(Picture)
    lefts = [picture.box.x0 for picture in pictures]
    tops = [picture.box.y1 for picture in pictures]
    assert lefts[0] == lefts[2] < lefts[1]
    assert tops[0] == tops[1] > tops[2]  # upwards
    assert [p.pixels.max() for p in pictures] == pytest.approx([0.1, 0.2, 0.3])
    assert texts(figure)[1:] == ["a", "b", "c"]


def test_overlay_changes_the_image_only_where_the_map_is_strong():
    images = np.full((1, 4, 4, 1), 0.5)
    maps = np.zeros((1, 4, 4))
    maps[0, 1, 2] = 1
    figure = plot_overlays(images, maps, ["cat"], [GOOD], "t")
    pair = figure.findobj(Picture)[0].pixels
    np.testing.assert_allclose(pair[:, :4], 0.5)  # the image itself
    np.testing.assert_allclose(pair[:, 4], 1)  # a white gap between them
    changed = np.abs(pair[:, 5:] - pair[0, 5]).sum(axis=2) > 0.01
    assert np.argwhere(changed).tolist() == [[1, 2]]


def test_flat_map_is_captioned():
    maps = np.stack([np.zeros((4, 4)), np.eye(4)])
    figure = plot_overlays(np.ones((2, 4, 4, 3)), maps, ["cat", "dog"], [GOOD, BAD], "t")
    assert texts(figure)[1:] == ["cat (no evidence)", "dog"]
    assert [to_rgb(text.get_color()) for text in figure.texts[1:]] == [
        to_rgb(GOOD),
        to_rgb(BAD),
    ]


def test_long_captions_do_not_overlap():
    names = ["charles_montgomery_burns and his friend\nnot abraham_grampa_simpson"] * 4
    figure = plot_overlays(np.ones((4, 8, 8, 3)), np.ones((4, 8, 8)), names, [BAD] * 4, "t")
    FigureCanvasAgg(figure).draw()
    first, second = (text.get_window_extent() for text in figure.texts[1:3])
    assert first.x1 < second.x0


@pytest.mark.parametrize("number", [1, 2, 3, 12])
def test_pairs_fill_the_figure_beside_the_colour_bar(number, fits):
    images, maps = np.ones((number, 24, 24, 3)), np.ones((number, 24, 24))
    evidence = "Evidence for the predicted class, layer features.12.expand3x3"
    title = f"Grad-CAM, epoch 13: 12 images\n{evidence}"
    figure = plot_overlays(images, maps, ["cat"] * number, [GOOD] * number, title)
    assert fits(figure)
    sheet = Bbox.union([picture.box for picture in figure.findobj(Picture)])
    [bar] = figure.findobj(ColourBar)
    assert sheet.width > 0.65 * figure.bbox.width
    assert 0 < bar.get_window_extent().x0 - sheet.x1 < 0.05 * figure.bbox.width


def test_title_of_the_accuracy_names_the_best_epoch():
    history = {"val/accuracy": [(0, 0.5), (1, 0.75), (2, 0.625)], "train/loss": [(0, 1.0)]}
    loss, accuracy = plot_curves(history).axes
    assert accuracy.get_title() == "Accuracy: best 0.7500, epoch 1"
    assert accuracy.lines[0].get_ydata() == pytest.approx([0.5, 0.75, 0.625])
    assert [line.get_label() for line in loss.lines] == ["training"]


def test_class_counts_are_stacked():
    counts = {"train": np.array([5, 3]), "val": np.array([1, 2])}
    axes = plot_class_counts(counts, ["cat", "dog"]).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [5, 3, 1, 2]
    assert [bar.get_x() for bar in axes.patches] == [0, 0, 5, 3]
    assert [text.get_text() for text in axes.get_legend().texts] == ["train: 8", "val: 3"]


def test_images_of_a_class_in_all_splits_are_written_beside_its_bar():
    counts = {"train": np.array([3689, 412]), "val": np.array([306, 24])}
    axes = plot_class_counts(counts, ["angry", "disgust"]).axes[0]
    assert [text.get_text() for text in axes.texts] == [" 3,995", " 436"]
    assert [text.get_position()[0] for text in axes.texts] == [3995, 436]


def test_each_class_has_a_row_of_samples():
    images = {"cat": np.full((3, 8, 8, 1), 0.25), "dog": np.full((2, 8, 8, 1), 0.5)}
    axes = plot_class_samples(images, 2).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]
    sheet = np.asarray(axes.images[0].get_array())
    height, width = sheet.shape[0] // 2, sheet.shape[1]
    for row, (grey, number) in enumerate(((0.25, 3), (0.5, 2))):
        middles = [width * (2 * column + 1) // 6 for column in range(3)]
        found = [sheet[row * height + height // 2, middle, 0] for middle in middles]
        assert found == [grey] * number + [1] * (3 - number)


@pytest.mark.parametrize("num_classes", [1, 7, 50])
def test_samples_of_all_classes_fit_a_page(num_classes, fits):
    images = {f"class number {k}": np.zeros((8, 48, 64, 3)) for k in range(num_classes)}
    figure = plot_class_samples(images, 60)
    assert f", {num_classes} of 60 classes" in figure.get_suptitle()
    assert figure.get_figheight() <= 20
    assert fits(figure)


def test_splits_have_one_order_and_one_colour_in_every_figure():
    counts = {split: np.array([5, 3]) for split in ("test", "train", "val")}
    axes = plot_class_counts(counts, ["cat", "dog"]).axes[0]
    assert [text.get_text()[:-3] for text in axes.get_legend().texts] == ["train", "val", "test"]
    curves = plot_curves({"train/loss": [(0, 1.0)], "val/loss": [(0, 1.0)]}).axes[0].lines
    bars = [to_rgb(bar.get_facecolor()) for bar in axes.patches[::2]]
    assert [to_rgb(line.get_color()) for line in curves] == bars[:2]
    assert len(set(bars)) == 3


@pytest.mark.parametrize("num_classes", [2, 40])
def test_class_counts_before_and_after_have_one_scale(num_classes, fits):
    before = {"train": np.arange(num_classes) + 1, "val": np.ones(num_classes)}
    after = {"train": np.full(num_classes, 90), "val": np.full(num_classes, 10)}
    figure = plot_class_counts_twice(before, after, [f"class {k}" for k in range(num_classes)])
    left, right = figure.axes
    assert left.get_xlim() == right.get_xlim()
    assert left.get_xlim()[1] >= 100
    legends = [axes.get_legend() for axes in figure.axes]
    assert [legend.get_title().get_text() for legend in legends] == ["before", "after"]
    assert legends[1].texts[0].get_text() == f"train: {90 * num_classes:,}"
    assert fits(figure)


def test_counts_of_very_many_classes_are_a_curve_with_the_largest_class_first():
    counts = {"train": np.arange(300), "val": np.full(300, 7)}
    axes = plot_class_counts(counts, [f"class {k}" for k in range(300)]).axes[0]
    train, val = axes.patches
    assert train.get_data().values.tolist() == list(range(299, -1, -1))
    assert val.get_data().baseline.tolist() == list(range(299, -1, -1))
    assert val.get_data().values.tolist() == list(range(306, 6, -1))
    assert axes.get_ylabel() == "classes, the one with the most images first"


@pytest.mark.parametrize("num_classes", [2, 100, 10_000])
def test_class_counts_fit_a_page(num_classes, fits):
    counts = {"train": np.arange(num_classes)}
    figure = plot_class_counts(counts, [f"class {index}" for index in range(num_classes)])
    assert figure.get_figheight() <= 20
    assert fits(figure)


def test_augmentations_start_with_the_original_image():
    images, draws = np.zeros((2, 4, 4, 1)), np.ones((2, 3, 4, 4, 1))
    figure = plot_augmentations(images, draws, ["cat", "dog"])
    means = [picture.pixels.mean() for picture in figure.findobj(Picture)]
    assert means == [0, 1, 1, 1, 0, 1, 1, 1]
    assert [text for text in texts(figure)[1:] if text] == ["cat", "dog"]


def test_images_that_are_not_augmented_are_shown_once():
    images = np.arange(4.0).reshape(4, 1, 1, 1) * np.ones((1, 4, 4, 3)) / 4
    figure = plot_augmentations(images, np.stack([images] * 5, axis=1), list("abcd"))
    assert len(figure.findobj(Picture)) == 4
    assert texts(figure)[1:] == list("abcd")
    assert figure.get_suptitle() == "Training images, which are not augmented: 4 images"
