"""Hidden groups: similar images for which a network is far worse, and which no table names.

They are searched on one half of the images and tested on the other, since among many clusters the
worst one always looks bad. See hidden stratification (Oakden-Rayner et al., 2020).
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import hypergeom
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from torch import Tensor

from models.evaluation.groups import accuracy_at_classes
from models.evaluation.paired_test import holm
from models.evaluation.wilson import wilson

LEAST_IMAGES = 60  # in all
FEWEST = 8  # images of a cluster in a half
NUM_CLUSTERS = (4, 8, 16)
NUM_COMPONENTS = 16
STARTS: Any = 4  # of k-means
MOST = 3  # clusters that are tested
PROMISING, DOUBT = 0.2, 0.05  # p-values to test a cluster, and to report it
GAP = 0.15  # in accuracy to images of the same classes; less is not far


class HiddenGroup(NamedTuple):
    """Similar images for which the network is worse than for others of their classes.

    Attributes:
        rows: Rows of all its images, the most typical first, (M,).
        images: Number of its images in the half that tested it.
        correct: How many of these are classified correctly.
        low: Lower end of the 95 % interval of their accuracy (Wilson).
        high: Upper end.
        expected: Accuracy of other images of this half, of the same classes.
        p_value: Of the difference, adjusted for the clusters that were tested (Holm).
    """

    rows: Tensor
    images: int
    correct: int
    low: float
    high: float
    expected: float
    p_value: float

    @property
    def accuracy(self) -> float:
        """Share of the tested images that is classified correctly."""
        return self.correct / self.images

    @property
    def is_far(self) -> bool:
        """Whether the difference is large enough to be reported."""
        return self.expected - self.accuracy >= GAP


def hidden_groups(
    features: Tensor, correct: Tensor, labels: Tensor, seed: int = 0
) -> list[HiddenGroup]:
    """Find clusters of images for which a network is far worse than for others of their classes.

    K-means on the principal components of one half of the images, with several numbers of clusters,
    proposes at most `MOST` that are bad. The images of the other half that are nearest to their
    centres test them.

    Args:
        features: (N, D).
        correct: Whether each image is classified correctly, (N,).
        labels: Class of each image, (N,).
        seed: Of the halves and of k-means.

    Returns:
        The groups whose accuracy is lower by `GAP` or more, and not by chance, the worst first.
        Without such a group, the probability that there is one is at most 5 %.
    """
    if len(features) < LEAST_IMAGES or correct.all() or not correct.any():
        return []
    hits, classes = correct.numpy(), labels.numpy()
    points = _principal_components(features, seed)
    order = np.random.default_rng(seed).permutation(len(points))
    first, second = (np.isin(np.arange(len(points)), half) for half in np.array_split(order, 2))
    proposed = _propose(_clusters(points, first, seed), hits, classes, first)
    in_any = np.any([member for member, _ in proposed], axis=0)
    tested = []
    for member, distance in proposed:
        own, compared = member & second, second & (member | ~in_any)
        if own.sum() >= FEWEST:
            tested.append((member, distance, own, compared))
    p_values = [worse_than_classes(hits, classes, own, both) for _, _, own, both in tested]
    found = [
        _group(parts, hits, classes, p_value)
        for parts, p_value in zip(tested, holm(p_values), strict=True)
    ]
    found = [each for each in found if each.p_value < DOUBT and each.is_far]
    return sorted(found, key=lambda each: each.accuracy - each.expected)


def worse_than_classes(
    correct: np.ndarray, labels: np.ndarray, member: np.ndarray, compared: np.ndarray
) -> float:
    """P-value of so few correct images in a group, if only their classes mattered.

    Given how many images of each class are correct, and how many are in the group, the number of
    correct ones in it is a sum of hypergeometric numbers, whose distribution is exact.

    Args:
        correct: Whether each image is classified correctly, (N,).
        labels: Class of each image, (N,).
        member: Whether each image is in the group, (N,).
        compared: Whether it counts, as those of the group do, (N,).
    """
    hits, own, member = correct[compared], labels[compared], member[compared]
    chances = np.ones(1)
    for label in np.unique(own[member]):
        of_class = own == label
        size, right, drawn = of_class.sum(), hits[of_class].sum(), member[of_class].sum()
        chances = np.convolve(chances, hypergeom.pmf(np.arange(drawn + 1), size, right, drawn))
    observed = int(hits[member].sum())
    return min(1.0, float(chances[: observed + 1].sum()))


def _principal_components(features: Tensor, seed: int) -> np.ndarray:
    values = features.double().numpy()  # as they are: scaled to one deviation, noise would count
    number = min(NUM_COMPONENTS, values.shape[1], len(values) - 1)
    return PCA(number, random_state=seed).fit_transform(values)


def _clusters(
    points: np.ndarray, half: np.ndarray, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Members among all images, (N,), and distances to the centre, (N,), of each cluster."""
    found = []
    for number in NUM_CLUSTERS:
        if number * FEWEST <= half.sum():
            means = KMeans(number, random_state=seed, n_init=STARTS).fit(points[half])
            distances = means.transform(points)
            nearest = distances.argmin(axis=1)
            found += [(nearest == cluster, distances[:, cluster]) for cluster in range(number)]
    return found


def _propose(
    clusters: list[tuple[np.ndarray, np.ndarray]],
    correct: np.ndarray,
    labels: np.ndarray,
    half: np.ndarray,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The worst clusters of a half, one after another, each without the images of those before."""
    chosen: list[tuple[np.ndarray, np.ndarray]] = []
    left = np.ones(len(half), bool)
    while len(chosen) < MOST:
        rest = [
            (m & left, distance) for m, distance in clusters if (m & left & half).sum() >= FEWEST
        ]
        p_values = [worse_than_classes(correct, labels, m & half, half & left) for m, _ in rest]
        if not rest or min(p_values) >= PROMISING:
            break
        chosen.append(rest[int(np.argmin(p_values))])
        left &= ~chosen[-1][0]
    return chosen


def _group(
    parts: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    correct: np.ndarray,
    labels: np.ndarray,
    p_value: float,
) -> HiddenGroup:
    """The group of members, their distances, those that test it, and those to compare with."""
    member, distance, own, compared = parts
    number, hits, others = int(own.sum()), int(correct[own].sum()), compared & ~own
    everything = np.flatnonzero(member)
    return HiddenGroup(
        torch.from_numpy(everything[distance[everything].argsort()]),
        number,
        hits,
        *wilson(hits / number, number),
        expected=accuracy_at_classes(correct[others], labels[others], labels[own]),
        p_value=p_value,
    )
