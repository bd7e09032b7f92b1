"""Agreement of an exported network with the one that it was made from, on the same images."""

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-4  # of a probability, in float32
TIE = 1e-6  # two classes whose probabilities differ by less are equally probable


@dataclass(frozen=True)
class Agreement:
    """How well two networks agree.

    Attributes:
        images: Number of images.
        largest_difference: Largest difference between two probabilities, in [0, 1]; NaN if one of
            them is not finite.
        other_classes: Number of images for which the most probable class differs.
    """

    images: int
    largest_difference: float
    other_classes: int

    @property
    def is_exact(self) -> bool:
        """Whether they agree but for rounding."""
        return self.largest_difference <= TOLERANCE and not self.other_classes

    def __str__(self) -> str:
        return (
            f"largest difference of a probability {self.largest_difference:.1e} (allowed: "
            f"{TOLERANCE:.0e}), another class for {self.other_classes:,} of {self.images:,} images"
        )


class DifferentOutputError(ValueError):
    """An exported network that does not give the outputs of its checkpoint."""


def agreement(expected: np.ndarray, found: np.ndarray) -> Agreement:
    """Compare probabilities, (N, K), with the expected ones.

    Raises:
        ValueError: If their shapes differ.
    """
    if expected.shape != found.shape:
        raise ValueError(f"Expected probabilities {expected.shape}, got {found.shape}.")
    chosen = np.take_along_axis(expected, found.argmax(axis=1)[:, None], axis=1)[:, 0]
    others = int((chosen < expected.max(axis=1) - TIE).sum())
    return Agreement(len(expected), float(abs(expected - found).max(initial=0)), others)


def require_agreement(expected: np.ndarray, found: np.ndarray, what: str) -> Agreement:
    """Compare probabilities, (N, K), with those of the checkpoint.

    Args:
        expected: Those of the checkpoint.
        found: Those of the exported network.
        what: Names the exported network in the error.

    Raises:
        DifferentOutputError: If they differ by more than rounding.
    """
    result = agreement(expected, found)
    if not result.is_exact:
        raise DifferentOutputError(
            f"{what} does not give the outputs of the checkpoint: {result}. It is not kept."
        )
    return result
