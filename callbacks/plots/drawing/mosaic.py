"""Mosaics: many small images of one kind as a single image with a colour bar."""

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_scale import SIGNED, Scale
from callbacks.plots.drawing.contact_sheet import enlarged, tile
from callbacks.plots.drawing.fixed_layout import picture_page
from callbacks.plots.drawing.grid_version import set_grid_version, small_mosaic
from callbacks.plots.drawing.page import show

SIDE = 560  # pixels of a mosaic, unless it has too many tiles
MIN_TILE = 26  # pixels of the longer side of a tile
BETWEEN_SIGNED = 0.25  # grey level between tiles whose zero is white
GROUND, CROSS = 200, 90  # grey levels of a crossed-out tile


def plot_mosaic(
    tiles: np.ndarray,
    title: str,
    scale: Scale,
    head: np.ndarray | None = None,
    crossed: np.ndarray | None = None,
) -> Figure:
    """Draw small images in a nearly square mosaic.

    Args:
        tiles: Images in the colours of the scale, uint8, (N, h, w, 3).
        title: Title in a few short lines.
        scale: Colour scale of the tiles.
        head: A small image in the corner, (H, W, 3).
        crossed: Whether to cross out a tile instead of showing it, (N,).
    """
    number, height, width = tiles.shape[:3]
    columns = _columns(number, width / height)
    longest = max(columns * width, -(-number // columns) * height)
    side = max(MIN_TILE, SIDE * max(height, width) // longest)
    tiles = enlarged(tiles, side)
    if max(tiles.shape[1:3]) < 0.85 * side:  # too small: enlarge more, and shrink the mosaic
        tiles = enlarged(tiles, 2 * side)
    if crossed is not None:
        tiles[crossed] = _cross(*tiles.shape[1:3])
    ground = BETWEEN_SIGNED if scale.cmap == SIGNED else 1.0
    sheet = tile(tiles, columns, ground)
    shrink = min(1.0, side / max(tiles.shape[1:3]))
    height, width = (round(shrink * pixels) for pixels in sheet.shape[:2])
    figure, box = picture_page((width, height), title, head)
    show(figure, sheet, box)
    scale.add_bar(figure, box)
    return set_grid_version(figure, small_mosaic, tiles, ground)


def _columns(number: int, ratio: float) -> int:
    """Tiles in a row of a nearly square mosaic; `ratio` is their width divided by height."""

    def stretch(columns: int) -> float:
        shape = ratio * columns / -(-number // columns)
        return max(shape, 1 / shape)

    return min(range(number, 0, -1), key=stretch)


def _cross(height: int, width: int) -> np.ndarray:
    """A grey tile with a cross, (height, width, 1)."""
    down, across = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    near = np.abs(np.abs(down) - np.abs(across)) < 0.07
    return np.where(near, CROSS, GROUND)[..., None].astype(np.uint8)
