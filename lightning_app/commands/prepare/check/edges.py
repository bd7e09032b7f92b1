"""Edges of an image: the outermost pixels of its four sides, and those further inside."""

import cv2
import numpy as np

CELLS = 6  # of each side; the corners are not part of them
DEPTH = 0.01  # of the shorter side, at least a pixel: even a thin frame fills it
PLACES = (0.0, 0.15, 0.3)  # of the shorter side: at the edge, and twice inside a frame


def edges_of(image: np.ndarray) -> np.ndarray:
    """Colours along the sides of an image, uint8 (3, 4, 6, 3): at the edge, then further inside.

    They leave out a quarter of the side at each end, since a mark in a corner is no frame.

    Args:
        image: RGB, uint8 (H, W, 3).
    """
    shorter = min(image.shape[:2])
    depth = max(1, round(DEPTH * shorter))
    starts = [min(round(place * shorter), max(shorter - depth, 0)) for place in PLACES]
    turned = [np.rot90(image, turns) for turns in range(4)]
    return np.stack([[_strip(side[start : start + depth]) for side in turned] for start in starts])


def _strip(rows: np.ndarray) -> np.ndarray:
    width = rows.shape[1]
    middle = rows[:, width // 4 : max(width - width // 4, width // 4 + 1)]
    return cv2.resize(np.ascontiguousarray(middle), (CELLS, 1), interpolation=cv2.INTER_AREA)[0]
