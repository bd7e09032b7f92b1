import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba

from callbacks.plots.drawing.grid_version import grid_version
from callbacks.plots.drawing.name_boxes import beside, in_margins
from callbacks.plots.drawing.style import class_colors
from callbacks.plots.embedding import Thumbnails, plot_embedding

POINTS = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [5.0, 5.0], [5.0, 7.0], [7.0, 5.0]])
LABELS = np.array([0, 0, 0, 2, 2, 2])
BAD = np.array([False, True, False, False, False, False])


def draw(names=("cat", "dog", "owl"), named=(0, 2), thumbnails=None):
    return plot_embedding(POINTS, LABELS, BAD, names, named, "t", thumbnails)


def names_of(axes):
    return {text.get_text(): text.get_position() for text in axes.texts}


def test_points_have_their_position_and_the_colour_of_their_class():
    [dots] = draw().axes[0].collections
    colors = {tuple(p): c for p, c in zip(dots.get_offsets(), dots.get_facecolors(), strict=True)}
    for point, label in zip(POINTS, LABELS, strict=True):
        np.testing.assert_allclose(colors[tuple(point)][:3], class_colors(3)[label])


def test_mistakes_have_a_black_ring_and_are_on_top():
    [dots] = draw().axes[0].collections
    black = [i for i, color in enumerate(dots.get_edgecolors()) if tuple(color) == to_rgba("black")]
    assert black == [len(POINTS) - 1]
    assert dots.get_offsets()[-1].tolist() == [2, 0]


def lines_of(axes):
    """The point from which a line leads to each name."""
    starts = [tuple(line.get_xydata()[0]) for line in axes.lines[::2]]
    return dict(zip((text.get_text() for text in axes.texts), starts, strict=True))


def test_a_line_leads_from_the_middle_of_a_class_to_its_name():
    axes = draw().axes[0]
    lines = lines_of(axes)
    assert lines.keys() == {"cat", "owl"}
    np.testing.assert_allclose(lines["cat"], [0, 0], atol=1e-3)  # the median of each direction
    np.testing.assert_allclose(lines["owl"], [5, 5], atol=1e-3)
    for name, place in names_of(axes).items():
        assert np.linalg.norm(np.subtract(place, lines[name])) < 1


@pytest.mark.parametrize("small", [False, True])
def test_names_cover_neither_points_nor_each_other(small):
    figure = draw()
    if small:
        figure = grid_version(figure)
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    [axes] = figure.axes
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 2
    assert not boxes[0].overlaps(boxes[1])
    dots = axes.transData.transform(axes.collections[0].get_offsets())
    assert not any(box.contains(*dot) for box in boxes for dot in dots)


def test_name_of_a_class_in_two_groups_is_in_one_of_them():
    points = np.array([[0.0, 0.0], [0.1, 0.0], [8.0, 8.0], [8.1, 8.0], [4.0, 4.0]])
    labels, wrong = np.array([0, 0, 0, 0, 1]), np.zeros(5, bool)
    axes = plot_embedding(points, labels, wrong, ["cat", "dog"], [0, 1], "t").axes[0]
    assert min(np.linalg.norm(points[:4] - lines_of(axes)["cat"], axis=1)) < 1e-3


def test_long_names_are_in_the_margins():
    names = [f"abraham_grampa_simpson_{k}" for k in range(30)]
    figure = plot_embedding(
        np.random.default_rng(0).normal(size=(30, 2)),
        np.arange(30),
        np.zeros(30, bool),
        names,
        range(30),
        "t",
    )
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    axes = figure.axes[0]
    points = axes.collections[0].get_window_extent()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert all(box.x1 < points.x0 or box.x0 > points.x1 for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    page = axes.get_window_extent()
    assert all(box.x0 > page.x0 and box.x1 < page.x1 for box in boxes)


def test_thumbnails_are_at_their_points_and_do_not_overlap():
    images = np.stack([np.full((4, 8, 1), value) for value in (0.2, 0.8, 0.5)])
    axes = draw(thumbnails=Thumbnails(np.array([3, 1, 4]), images)).axes[0]
    for picture, row, value in zip(axes.images, (3, 1, 4), (0.2, 0.8, 0.5), strict=True):
        left, right, bottom, top = picture.get_extent()
        np.testing.assert_allclose([(left + right) / 2, (bottom + top) / 2], POINTS[row])
        assert (right - left) / (top - bottom) == pytest.approx(2)  # as wide as the image
        np.testing.assert_allclose(picture.get_array(), value)
    FigureCanvasAgg(axes.figure).figure.draw_without_rendering()
    boxes = [picture.get_window_extent() for picture in axes.images]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("num_classes", [2, 100, 1000])
def test_nothing_is_cut_off(num_classes):
    rng = np.random.default_rng(0)
    labels = np.arange(2000) % num_classes
    figure = plot_embedding(
        rng.normal(size=(2000, 2)),
        labels,
        rng.random(2000) < 0.1,
        [f"class number {k}" for k in range(num_classes)],
        range(min(num_classes, 15)),
        "what lies near what, epoch 100: PCA of 2,000 images, 36 % of the variance\nx",
    )
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.01
    assert (drawn.max <= page + 0.01).all()


def test_identical_points_can_be_drawn():
    plot_embedding(np.zeros((3, 2)), np.zeros(3, int), np.zeros(3, bool), ["a"], [0], "t")


def test_names_of_one_point_stand_around_it():
    sizes = np.tile([2.0, 1.0], (4, 1))
    places = beside(np.zeros((4, 2)), sizes, np.zeros((1, 2)), np.full(2, -9), np.full(2, 9))
    gaps = np.abs(places[:, None] - places) - sizes[0]
    np.fill_diagonal(gaps[..., 0], 1)
    assert (gaps > 0).any(axis=2).all()
    assert (np.abs(places) > sizes / 2).any(axis=1).all()
    assert (np.linalg.norm(places, axis=1) < 4).all()


def test_name_stays_on_the_map_and_moves_away_from_points():
    points = np.array([[0.0, 0.0], [0.0, 0.6], [0.0, -0.6]])  # above and below is no room
    [place] = beside(
        points[:1], np.array([[1.0, 1.0]]), points, np.array([-5, -5]), np.full(2, 0.2)
    )
    assert place[0] < -0.5
    assert place[1] + 0.5 <= 0.2


def test_names_in_margins_keep_sides_and_order():
    meant = np.array([[0.0, 3.0], [9.0, 1.0], [1.0, 0.0], [8.0, 2.0]])
    places = in_margins(meant, -5, 15, 0, 4)
    assert places.tolist() == [[-5, 3], [15, 1], [-5, 1], [15, 3]]
