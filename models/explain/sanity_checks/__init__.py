"""Sanity checks of explanations: randomised weights, removed pixels, and the pointing game."""

from models.explain.sanity_checks.inside import area_of, maximum_inside, share_inside
from models.explain.sanity_checks.methods import check_method, explanation
from models.explain.sanity_checks.occlusion import occlusion
from models.explain.sanity_checks.pointing import box_masks, pointing_game
from models.explain.sanity_checks.randomization import (
    Explain,
    Randomization,
    randomization,
    randomized,
    rank_correlation,
)
from models.explain.sanity_checks.removal import (
    area,
    blurred,
    deletion_curve,
    insertion_curve,
    mean_color,
    moved_maps,
    random_maps,
    replacement_curve,
)
from models.explain.sanity_checks.removal_curves import RemovalCurves
from models.explain.sanity_checks.verdict import Verdict, judge

__all__ = [
    "Explain",
    "Randomization",
    "RemovalCurves",
    "Verdict",
    "area",
    "area_of",
    "blurred",
    "box_masks",
    "check_method",
    "deletion_curve",
    "explanation",
    "insertion_curve",
    "judge",
    "maximum_inside",
    "mean_color",
    "moved_maps",
    "occlusion",
    "pointing_game",
    "random_maps",
    "randomization",
    "randomized",
    "rank_correlation",
    "replacement_curve",
    "share_inside",
]
