"""Allowance: how much work a picture may take, counted in forward passes of the network."""

import math
from dataclasses import dataclass

from callbacks.plots.drawing.texts import counted

BUDGET = "the budget"  # what limits a picture at the end of a fit


@dataclass(eq=False)
class Allowance:
    """Work that a picture may take in a fit; without a limit elsewhere.

    Attributes:
        passes: Forward passes of one image; a backward pass counts as two.
        exhausted: Whether the picture had to do with fewer images or steps than its settings say.
    """

    passes: float = math.inf
    exhausted: bool = False

    def affordable(self, wanted: int, passes_each: float, fewest: int, besides: float = 0.0) -> int:
        """How many images or steps to use.

        Args:
            wanted: Their number without a limit.
            passes_each: Forward passes of one image that each of them takes.
            fewest: Their least number, whatever the limit.
            besides: Forward passes of one image that the picture takes for something else.
        """
        left = self.passes - besides
        if left >= wanted * passes_each or wanted <= fewest:
            return wanted
        self.exhausted = True
        return max(fewest, int(left / passes_each))

    def counted(self, shown: int, wanted: int, besides: str = "") -> str:
        """`16 images`, or `7 of 16 images (limit: the budget)` if the limit allows no more.

        Args:
            shown: Images in the figure.
            wanted: Their number without a limit.
            besides: What else the limit reduced, beginning with a comma.
        """
        if not self.exhausted or (shown >= wanted and not besides):
            return counted(shown, "image")
        part = f"{shown:,} of " * (shown < wanted)
        return f"{part}{counted(wanted, 'image')}{besides} (limit: {BUDGET})"
