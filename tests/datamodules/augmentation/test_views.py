import pytest
import torch

from datamodules.augmentation.views import with_views

IMAGE = torch.arange(16.0).reshape(1, 1, 4, 4)


@pytest.mark.parametrize(
    ("view", "corners"),  # upper left, upper right, lower left, lower right: 0, 3, 12, 15
    [
        ("mirror", [3, 0, 15, 12]),
        ("flip", [12, 15, 0, 3]),
        ("rotate90", [3, 15, 0, 12]),
        ("rotate180", [15, 12, 3, 0]),
        ("rotate270", [12, 0, 15, 3]),
    ],
)
def test_views_move_the_corners(view, corners):
    shown = with_views(IMAGE, [view])[0, 1, 0]
    assert shown[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() == corners


def test_zoom_enlarges_the_middle():
    image = torch.zeros(1, 1, 16, 16)
    image[..., 4:12, 4:12] = 1
    zoomed = with_views(image, ["zoom"])[0, 1]
    assert zoomed.shape == (1, 16, 16)
    assert zoomed.mean() == pytest.approx((8 / 14) ** 2, abs=0.02)


def test_the_original_image_comes_first():
    views = with_views(IMAGE.expand(3, 1, 4, 4), ["mirror", "flip"])
    assert views.shape == (3, 3, 1, 4, 4)
    assert views[:, 0].equal(IMAGE.expand(3, 1, 4, 4))
