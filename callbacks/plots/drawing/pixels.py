"""Pixels: fast drawing of images that have exactly the resolution of the figure."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage


def show_pixels(axes: Axes, picture: np.ndarray) -> None:
    """Fill axes with an image, as `imshow` does; fast if both have the same size in pixels.

    Args:
        axes: Axes to draw in.
        picture: RGB image, uint8, (H, W, 3).
    """
    height, width = picture.shape[:2]
    image = _Pixels(axes, extent=(-0.5, width - 0.5, height - 0.5, -0.5), resample=True)
    image.set_data(picture)
    axes.add_image(image)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="auto")


class _Pixels(AxesImage):
    """An image that is not resampled if it already has its size; Matplotlib always resamples."""

    def make_image(
        self, renderer: Any, magnification: float = 1.0, unsampled: bool = False
    ) -> tuple[np.ndarray, float, float, Any]:
        """See `AxesImage`: the pixels to draw, from bottom to top, and their position."""
        pixels, box = np.asarray(self.get_array()), self.axes.bbox
        fits = np.allclose((box.height, box.width), pixels.shape[:2])
        if unsampled or magnification != 1 or not fits:
            return super().make_image(renderer, magnification, unsampled)
        colors = self.to_rgba(pixels, bytes=True)[::-1]
        return colors, round(box.x0), round(box.y0), None
