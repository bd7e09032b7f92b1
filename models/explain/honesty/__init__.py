"""Whether a map of what matters in an image can be believed: three tests that need no eye."""

from models.explain.honesty.methods import check_method, explanation
from models.explain.honesty.occlusion import occlusion
from models.explain.honesty.pointing import box_masks, pointing_game
from models.explain.honesty.randomization import (
    Explain,
    Randomization,
    randomization,
    randomized,
    rank_correlation,
)
from models.explain.honesty.removal import (
    area,
    blurred,
    deletion_curve,
    insertion_curve,
    mean_color,
    random_maps,
    replacement_curve,
)

__all__ = [
    "Explain",
    "Randomization",
    "area",
    "blurred",
    "box_masks",
    "check_method",
    "deletion_curve",
    "explanation",
    "insertion_curve",
    "mean_color",
    "occlusion",
    "pointing_game",
    "random_maps",
    "randomization",
    "randomized",
    "rank_correlation",
    "replacement_curve",
]
