"""Verdict: whether the maps of a method pass the sanity checks, and why not."""

from typing import NamedTuple

import torch
from scipy.stats import ttest_rel
from torch import Tensor

FLAT = 0.5  # share of the maps
SIMILAR = 0.5  # rank correlation: half of the way from unrelated to equal
DOUBT = 0.05  # of chance in the deletion test
GAIN = 0.05  # least share of the area: a difference can be certain and yet not matter
LEAST = 6  # images for a verdict


class Verdict(NamedTuple):
    """Sanity checks of a method, and what follows from them.

    Attributes:
        images: Number of images.
        flat: Share of the maps that are the same everywhere, in [0, 1].
        similarity: Mean rank correlation with the maps of random weights, in [-1, 1]; NaN if all
            maps are flat.
        deletion: Mean area under the deletion curves, in [0, 1].
        elsewhere: The same, if each map is moved to another place of its image.
        p_value: Of the paired, one-sided t-test that deletion falls faster than elsewhere.
    """

    images: int
    flat: float
    similarity: float
    deletion: float
    elsewhere: float
    p_value: float

    @property
    def failed(self) -> list[str]:
        """Checks that the maps do not pass: `flat` alone, or `randomization` and `deletion`.

        With fewer than six images there is no verdict.
        """
        if self.images < LEAST:
            return []
        if self.flat > FLAT:
            return ["flat"]
        better = self.p_value < DOUBT and self.deletion <= (1 - GAIN) * self.elsewhere
        return ["randomization"] * (self.similarity >= SIMILAR) + ["deletion"] * (not better)

    def reasons(self) -> list[str]:
        """Why not to trust the maps, for each failed check."""
        texts = {
            "flat": f"{self.flat:.0%} of them are the same everywhere",
            "randomization": "random weights give nearly the same maps (rank correlation "
            f"{self.similarity:.2f})",
            "deletion": "what they mark matters little more than other places, if at all (deletion "
            f"{self.deletion:.2f}, elsewhere {self.elsewhere:.2f}, p = {self.p_value:.2f})",
        }
        return [texts[check] for check in self.failed]


def judge(maps: Tensor, correlations: Tensor, deletion: Tensor, elsewhere: Tensor) -> Verdict:
    """Judge the maps of a method.

    Args:
        maps: Of the trained network, (N, H, W).
        correlations: Rank correlation of each with that of random weights, NaN if it is flat, (N,).
        deletion: Area under the deletion curve of each image, (N,).
        elsewhere: The same for the maps of `moved_maps`.
    """
    pixels = maps.flatten(1)
    flat = float((pixels.amax(dim=1) == pixels.amin(dim=1)).float().mean())
    areas = float(deletion.mean()), float(elsewhere.mean())
    p_value = _p_value(deletion.cpu().double(), elsewhere.cpu().double())
    return Verdict(len(maps), flat, float(correlations.nanmean()), *areas, p_value)


def _p_value(lower: Tensor, higher: Tensor) -> float:
    """P-value that pairs differ by chance in this direction; 1 without any difference."""
    if len(lower) < 2 or torch.equal(lower, higher):
        return 1.0
    return float(ttest_rel(lower.numpy(), higher.numpy(), alternative="less").pvalue)
