"""The transform against Keras' formulas, which `apply_affine_transform` (Keras 3) documents."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform
from scipy.stats import kstest

from datamodules.augmentation.keras_affine import KerasAffine
from datamodules.augmentation.load import load_augmentation

NEUTRAL = {"theta": 0, "shift_x": 0, "shift_y": 0, "shear": 0, "zoom_x": 1, "zoom_y": 1}
RANGES = {
    "theta": (-15, 15),
    "shift_x": (-0.1, 0.1),
    "shift_y": (-0.1, 0.1),
    "shear": (-0.1, 0.1),
    "zoom_x": (1, 1.2),
    "zoom_y": (1, 1.2),
}


@pytest.fixture
def square():
    """A picture without symmetry, (40, 40, 3)."""
    rows, columns = np.mgrid[:40, :40]
    waves = 127 + 80 * np.sin(rows / 5) * np.cos(columns / 7)
    picture = np.stack([waves, 6 * rows, 3 * rows + 3 * columns], axis=-1)
    picture[5:15, 20:35] = (250, 10, 60)
    return picture.astype(np.uint8)


def applied(image, **given):
    return KerasAffine().apply(image, **{**NEUTRAL, **given})


def keras(image, theta, tx, ty, shear, zx, zy):
    """Keras' own steps: four matrices, the centre, the change of axes, channel by channel."""
    theta, shear = np.pi / 180 * theta, np.pi / 180 * shear
    rotation = [[np.cos(theta), -np.sin(theta), 0], [np.sin(theta), np.cos(theta), 0], [0, 0, 1]]
    shift = [[1, 0, tx], [0, 1, ty], [0, 0, 1]]
    shearing = [[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]]
    zoom = [[zx, 0, 0], [0, zy, 0], [0, 0, 1]]
    matrix = np.array(rotation) @ shift @ shearing @ zoom
    first, second = image.shape[0] / 2 - 0.5, image.shape[1] / 2 - 0.5
    there, back = np.eye(3), np.eye(3)
    there[:2, 2], back[:2, 2] = (first, second), (-first, -second)
    matrix = there @ matrix @ back
    matrix[:, [0, 1]] = matrix[:, [1, 0]]
    matrix[[0, 1]] = matrix[[1, 0]]
    channels = [
        affine_transform(channel, matrix[:2, :2], matrix[:2, 2], order=1, mode="wrap")
        for channel in image.transpose(2, 0, 1).astype(np.float64)
    ]
    return np.stack(channels, axis=-1)


@pytest.mark.parametrize(
    "given",
    [
        {"theta": 15},
        {"theta": -7},
        {"shift_x": 0.1},
        {"shift_y": -0.085},
        {"shear": 0.1},
        {"shear": 30},
        {"zoom_x": 1.2},
        {"zoom_y": 1.13},
        {"theta": 12, "shift_x": -0.06, "shift_y": 0.09, "shear": 20, "zoom_x": 1.2, "zoom_y": 1.1},
    ],
)
def test_square_image_is_that_of_keras(square, given):
    values = {**NEUTRAL, **given}
    tx, ty = 40 * values["shift_x"], 40 * values["shift_y"]
    angles, zooms = (values["theta"], values["shear"]), (values["zoom_x"], values["zoom_y"])
    expected = keras(square, angles[0], tx, ty, angles[1], *zooms)
    assert np.abs(expected - square).mean() > 0.1  # it does something
    np.testing.assert_allclose(applied(square, **given), expected, atol=0.501)  # half a grey level


def test_zoom_of_two_on_one_axis_halves_the_image_along_it():
    image = np.zeros((41, 41, 1), np.uint8)
    image[11:30, 11:30] = 255
    rows, columns = (np.flatnonzero(applied(image, zoom_x=2)[..., 0].any(axis=k)) for k in (1, 0))
    assert (rows.min(), rows.max()) == (11, 29)
    middle = columns[(columns > 10) & (columns < 30)]
    assert (middle.min(), middle.max()) == (16, 24)
    assert len(columns) > len(middle)  # wrapped copies at both sides


def test_quarter_turn_is_exact(square):
    np.testing.assert_array_equal(applied(square, theta=90), np.rot90(square))


def test_positive_shift_moves_the_image_to_the_left_and_upwards():
    image = np.zeros((20, 30, 1), np.uint8)
    image[10, 15] = 255
    assert np.argwhere(applied(image, shift_x=0.1)[..., 0]).tolist() == [[10, 12]]
    assert np.argwhere(applied(image, shift_y=0.1)[..., 0]).tolist() == [[8, 15]]


def test_first_and_last_pixel_fall_on_each_other_where_the_image_is_wrapped():
    image = np.arange(10, dtype=np.uint8).repeat(10).reshape(10, 10, 1)  # rows 0, 1, …, 9
    shifted = applied(image, shift_y=0.3)[:, 0, 0]
    assert shifted.tolist() == [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]


def test_centre_stays_in_place_in_an_image_that_is_not_square():
    image = np.zeros((21, 61, 1), np.uint8)
    image[10, 30] = 255
    moved = applied(image, theta=33, shear=10, zoom_x=1.2, zoom_y=1.1)[..., 0]
    assert np.unravel_index(moved.argmax(), moved.shape) == (10, 30)


@pytest.mark.parametrize("name", RANGES)
def test_s1_draws_each_parameter_uniformly_from_its_range(name):
    [affine, _] = load_augmentation("s1")
    low, high = RANGES[name]
    affine.set_random_seed(0)
    drawn = [affine.get_params()[name] for _ in range(2000)]
    assert kstest(drawn, "uniform", (low, high - low)).pvalue > 0.001


def test_s1_draws_the_zoom_of_each_axis_for_itself():
    [affine, _] = load_augmentation("s1")
    affine.set_random_seed(0)
    drawn = [affine.get_params() for _ in range(500)]
    zooms = np.array([(draw["zoom_x"], draw["zoom_y"]) for draw in drawn])
    assert abs(np.corrcoef(zooms.T)[0, 1]) < 0.15


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rotation_range": -1}, r"rotation_range in \[0, 360\), got -1"),
        ({"width_shift_range": 1}, r"width_shift_range in \[0, 1\), got 1"),
        ({"shear_range": 90}, r"shear_range in \[0, 90\), got 90"),
        ({"zoom_range": (1.2, 1)}, r"Expected zoom_range with 0 < low <= high, got 1.2 and 1"),
        ({"zoom_range": (0, 1)}, r"Expected zoom_range with 0 < low <= high, got 0 and 1"),
    ],
)
def test_range_that_makes_no_sense_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        KerasAffine(**given)
