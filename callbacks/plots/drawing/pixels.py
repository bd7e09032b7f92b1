"""Images whose pixels are those of the figure, drawn without the detour by which others come."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage


def show_pixels(axes: Axes, picture: np.ndarray) -> None:
    """Fill axes with a picture, as `imshow` does; fast if it has just as many pixels as they.

    Args:
        axes: Where to draw.
        picture: (H, W, 3), uint8.
    """
    height, width = picture.shape[:2]
    image = _Pixels(axes, extent=(-0.5, width - 0.5, height - 0.5, -0.5), resample=True)
    image.set_data(picture)
    axes.add_image(image)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="auto")


class _Pixels(AxesImage):
    """Matplotlib resamples each image in floating point, even one that already has its size."""

    def make_image(
        self, renderer: Any, magnification: float = 1.0, unsampled: bool = False
    ) -> tuple[np.ndarray, float, float, Any]:
        """See `AxesImage`: what to draw, from the bottom up, and where."""
        pixels, box = np.asarray(self.get_array()), self.axes.bbox
        fits = np.allclose((box.height, box.width), pixels.shape[:2])
        if unsampled or magnification != 1 or not fits:
            return super().make_image(renderer, magnification, unsampled)
        colors = self.to_rgba(pixels, bytes=True)[::-1]
        return colors, round(box.x0), round(box.y0), None
