"""Overlays: heat maps over the images that they explain."""

import matplotlib
import numpy as np

CMAP = "inferno"
STRONGEST = 0.75  # opacity of a heat map at its maximum


def overlaid(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Blend images with heat maps: the stronger the map, the more opaque.

    Args:
        images: In [0, 1], (N, H, W, C) with 1 or 3 channels.
        maps: In [0, 1], (N, H, W); where a map is 0, the image stays as it is.

    Returns:
        RGB images in [0, 1], (N, H, W, 3).
    """
    heat = matplotlib.colormaps[CMAP](maps)[..., :3]
    cover = STRONGEST * maps[..., None]
    return (1 - cover) * images + cover * heat
