"""Edges of an image: the outermost pixels of its four sides, and those a little further inside."""

import cv2
import numpy as np

CELLS = 6  # of each side; the corners are not part of them
DEPTH = 0.01  # of the shorter side, at least a pixel: even a thin frame fills it
INSIDE = 0.15  # of the shorter side: beyond the frame, but still the same scene


def edges_of(image: np.ndarray) -> np.ndarray:
    """Colours along the sides of an image, uint8 (2, 4, 6, 3): at the edge, and further inside.

    Both leave out a quarter of the side at each end, since a mark in a corner is no frame.

    Args:
        image: RGB, uint8 (H, W, 3).
    """
    shorter = min(image.shape[:2])
    depth = max(1, round(DEPTH * shorter))
    inside = min(max(depth, round(INSIDE * shorter)), max(shorter - depth, 0))
    turned = [np.rot90(image, turns) for turns in range(4)]
    return np.stack(
        [[_strip(side[start : start + depth]) for side in turned] for start in (0, inside)]
    )


def _strip(rows: np.ndarray) -> np.ndarray:
    width = rows.shape[1]
    middle = rows[:, width // 4 : max(width - width // 4, width // 4 + 1)]
    return cv2.resize(np.ascontiguousarray(middle), (CELLS, 1), interpolation=cv2.INTER_AREA)[0]
