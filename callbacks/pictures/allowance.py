"""Allowance: how much work a picture may take, counted in forward passes of the network."""

import math
from dataclasses import dataclass


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
