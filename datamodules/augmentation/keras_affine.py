"""Affine transform of Keras' `ImageDataGenerator`, which a published recipe uses."""

from typing import Any

import albumentations as A
import numpy as np
from scipy.ndimage import affine_transform


class KerasAffine(A.ImageOnlyTransform):
    """Affine transform as Keras' `ImageDataGenerator` draws it, with fill mode `wrap`.

    Keras' matrix is rotation · shift · shear · zoom about the centre of the image, and maps places
    of the output to places of the input: a zoom above 1 makes the image *smaller*, and wrapped
    copies of it fill the rest. Values in between are interpolated linearly.

    `albumentations.Affine` cannot express this. It draws the reciprocal of the zoom and shifts
    last, and its wrapped border repeats after n pixels, Keras' (scipy's mode `wrap`) after n - 1:
    the first and the last pixel fall on each other.

    Keras interchanges height and width in the centre and the shifts of an image that is not
    square. This fault is not repeated.

    Args:
        rotation_range: Largest rotation to either side, in degrees.
        width_shift_range: Largest shift to the left or right, as a share of the width, in [0, 1).
        height_shift_range: Largest shift up or down, as a share of the height, in [0, 1).
        shear_range: Largest shear to either side, in degrees.
        zoom_range: Smallest and largest zoom; drawn for each axis.
        p: Probability that the transform is applied.

    Raises:
        ValueError: If a range is not as described.
    """

    def __init__(
        self,
        rotation_range: float = 0.0,
        width_shift_range: float = 0.0,
        height_shift_range: float = 0.0,
        shear_range: float = 0.0,
        zoom_range: tuple[float, float] = (1.0, 1.0),
        p: float = 1.0,
    ) -> None:
        super().__init__(p=p)
        self.rotation_range = _within("rotation_range", rotation_range, 360)
        self.width_shift_range = _within("width_shift_range", width_shift_range, 1)
        self.height_shift_range = _within("height_shift_range", height_shift_range, 1)
        self.shear_range = _within("shear_range", shear_range, 90)
        low, high = zoom_range
        if not 0 < low <= high:
            raise ValueError(f"Expected zoom_range with 0 < low <= high, got {low:g} and {high:g}.")
        self.zoom_range = (low, high)

    def get_params(self) -> dict[str, float]:
        """Draw the parameters of an image: angles in degrees, shifts as shares of a side."""
        draw = self.py_random.uniform
        return {
            "theta": draw(-self.rotation_range, self.rotation_range),
            "shift_x": draw(-self.width_shift_range, self.width_shift_range),
            "shift_y": draw(-self.height_shift_range, self.height_shift_range),
            "shear": draw(-self.shear_range, self.shear_range),
            "zoom_x": draw(*self.zoom_range),
            "zoom_y": draw(*self.zoom_range),
        }

    def apply(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        img: np.ndarray,
        theta: float,
        shift_x: float,
        shift_y: float,
        shear: float,
        zoom_x: float,
        zoom_y: float,
        **params: Any,
    ) -> np.ndarray:
        """Transform an image, uint8 (H, W, C)."""
        height, width = img.shape[:2]
        angle, slant = np.deg2rad((theta, shear))
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shearing = np.array([[1, -np.sin(slant)], [0, np.cos(slant)]])
        matrix = rotation @ shearing @ np.diag([zoom_x, zoom_y])
        centre = np.array([width / 2 - 0.5, height / 2 - 0.5])
        shift = np.array([shift_x * width, shift_y * height])
        offset = rotation @ shift + centre - matrix @ centre
        # Until here x comes first, then y; arrays have rows first.
        rows_first, offset = matrix[::-1, ::-1], offset[::-1]
        options: Any = {"offset": offset, "output": np.float32, "order": 1, "mode": "wrap"}
        channels = [
            affine_transform(img[..., c], rows_first, **options) for c in range(img.shape[2])
        ]
        return np.stack(channels, axis=-1).round().astype(np.uint8)


def _within(name: str, value: float, end: float) -> float:
    """The value, if it is in [0, end)."""
    if not 0 <= value < end:
        raise ValueError(f"Expected {name} in [0, {end}), got {value:g}.")
    return value
