"""Non-negative factors of activations, and the coefficients of further ones."""

import warnings

import numpy as np
from scipy.optimize import nnls

TINY = 1e-12
STEPS = 500  # of the coordinate descent; it ends earlier where it has converged


def signed_parts(activations: np.ndarray) -> np.ndarray:
    """Activations (n, D) as non-negative ones, (n, 2 D): their positive and negative parts.

    Behind a ReLU the second half is zero. Elsewhere (SiLU, GELU, the norms of a transformer)
    nothing is lost, as it would be by clipping: a factor may be a channel that is low.
    """
    return np.concatenate([activations.clip(min=0), (-activations).clip(min=0)], axis=1)


def merge_parts(parts: np.ndarray) -> np.ndarray:
    """The inverse of `signed_parts`."""
    positive, negative = np.split(parts, 2, axis=1)
    return positive - negative


def factorise(activations: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Non-negative matrix factorisation (Lee and Seung, 1999): activations as sums of directions.

    scikit-learn's, with coordinate descent from an SVD, so that it repeats.

    Args:
        activations: (n, D), non-negative.
        rank: Number of directions, at most the smaller of n and D.

    Returns:
        Coefficients (n, rank), and directions (rank, D) of length 1, both non-negative. A direction
        that is not needed is zero.
    """
    from sklearn.decomposition import NMF  # takes a second to import
    from sklearn.exceptions import ConvergenceWarning

    used = activations.any(axis=0)
    directions = np.zeros((rank, activations.shape[1]))
    if not used.any():
        return np.zeros((len(activations), rank)), directions
    model = NMF(min(rank, *activations[:, used].shape), init="nndsvd", max_iter=STEPS)
    with warnings.catch_warnings():  # what is left to gain is small
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = model.fit_transform(activations[:, used].astype(np.float64))
    lengths = np.linalg.norm(model.components_, axis=1)
    directions[: len(lengths), used] = model.components_ / lengths.clip(min=TINY)[:, None]
    coefficients = np.zeros((len(activations), rank))
    coefficients[:, : len(lengths)] = found * lengths
    return coefficients, directions


def coefficients_of(activations: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Non-negative least squares (Lawson and Hanson, 1974): how much of each direction there is.

    Args:
        activations: (n, D).
        directions: (rank, D).

    Returns:
        The coefficients (n, rank) whose sums of directions are closest to the activations.
    """
    # The same problem in the span of the directions, which is smaller.
    basis, triangle = np.linalg.qr(directions.T.astype(np.float64))
    return np.stack([nnls(triangle, inside)[0] for inside in activations @ basis])
