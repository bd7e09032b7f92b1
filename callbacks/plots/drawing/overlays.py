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
    colors = matplotlib.colormaps[CMAP](np.arange(256))[:, :3].astype(np.float32)
    heat = colors[(256 * maps).clip(0, 255).astype(np.uint8)]
    return images + STRONGEST * maps[..., None] * (heat - images)
