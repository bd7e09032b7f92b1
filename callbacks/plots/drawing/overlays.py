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


def beside(images: np.ndarray, overlays: np.ndarray) -> np.ndarray:
    """Join RGB images, (N, H, W, 3), with their overlays, and a white gap between, (N, H, V, 3)."""
    gap = np.ones((*images.shape[:2], max(1, images.shape[2] // 24), 3), images.dtype)
    return np.concatenate([images, gap, overlays], axis=2)
