"""Projections of features to the plane (PCA, t-SNE), and agreement among neighbours."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

TSNE_STEPS = 500  # half of scikit-learn's default; started from PCA, the result is as good
MIN_IMAGES = 3  # of a class; with fewer, the agreement of its neighbours says little
TSNE_COMPONENTS = 50  # of the PCA before t-SNE (van der Maaten and Hinton, 2008)


class Projection(NamedTuple):
    """Features projected on their principal components.

    Attributes:
        points: (N, k), float32, centred.
        explained: Share of the variance that each component explains, (k,), float32.
    """

    points: Tensor
    explained: Tensor


def principal_components(features: Tensor, num_components: int = 2) -> Projection:
    """Principal component analysis of features (N, D).

    The largest loading of each component is positive. If there are fewer than `num_components`,
    because there are few images or features, the missing ones are 0.
    """
    from sklearn.decomposition import PCA  # takes a second to import

    found = min(num_components, *features.shape)
    method = PCA(found, random_state=0)
    with np.errstate(invalid="ignore"):  # if all features are equal, none explains any variance
        points = method.fit_transform(features.double().numpy())
    explained = np.nan_to_num(method.explained_variance_ratio_)
    missing = (0, num_components - found)
    return Projection(*(pad(torch.from_numpy(x).float(), missing) for x in (points, explained)))


def tsne(features: Tensor) -> Tensor:
    """t-SNE (van der Maaten and Hinton, 2008) of features (N, D), started from their PCA: (N, 2).

    The same features give the same map. Distances between groups, and their sizes, mean nothing.
    """
    from sklearn.manifold import TSNE  # takes a second to import

    num_components = min(TSNE_COMPONENTS, features.shape[1])
    reduced = principal_components(features, max(num_components, 2)).points
    start: Any = (1e-4 * reduced[:, :2] / reduced[:, 0].std().clamp_min(1e-30)).numpy()
    perplexity = min(30.0, (len(features) - 1) / 3)
    # Not `init="pca"`, which makes the same start but divides by zero if all features are equal.
    method = TSNE(perplexity=perplexity, init=start, max_iter=TSNE_STEPS, random_state=0)
    return torch.from_numpy(method.fit_transform(reduced.numpy()))


def turned_by_class(points: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Rotate and mirror a map so that each class lies in its own direction, as far as possible.

    Left and right in a map are arbitrary, and the signs of components change while a network
    trains. Here class 0 is turned to the right and the others follow counter-clockwise, so that the
    maps of two epochs or two runs can be compared. Distances stay the same (orthogonal Procrustes;
    Schönemann, 1966).

    Args:
        points: (N, 2).
        labels: True classes, (N,).
        num_classes: Number of classes.

    Returns:
        (N, 2), float32, centred.
    """
    angles = 2 * torch.pi * labels.double() / num_classes
    places = torch.stack([angles.cos(), angles.sin()], dim=1)
    # The directions of two classes lie on a line; the order of the images decides what is up.
    places[:, 1] += 1e-3 * torch.linspace(-1, 1, len(labels), dtype=torch.float64)
    centred = points.double() - points.double().mean(dim=0)
    left, _, right = torch.linalg.svd(centred.T @ (places - places.mean(dim=0)))
    return (centred @ left @ right).float()


def neighbour_agreement(features: Tensor, labels: Tensor, num_neighbours: int = 10) -> Tensor:
    """Share of the nearest neighbours of each image that have its class, (N,) in [0, 1].

    Of an image in a small class, only as many neighbours count as there are others in the class, so
    that the share can reach 1. It is 0 for an image that is alone in its class.

    Args:
        features: (N, D).
        labels: True classes, (N,).
        num_neighbours: Number of neighbours at most, by Euclidean distance.
    """
    num_neighbours = min(num_neighbours, len(features) - 1)
    distances = torch.cdist(features, features)
    distances.fill_diagonal_(torch.inf)
    nearest = distances.topk(num_neighbours, largest=False).indices
    number = (labels.bincount()[labels] - 1).clamp(1, num_neighbours)
    counted = torch.arange(num_neighbours) < number[:, None]
    return ((labels[nearest] == labels[:, None]) & counted).sum(dim=1) / number


def most_mixed(labels: Tensor, agreement: Tensor, num_classes: int) -> list[int]:
    """Classes with the lowest mean agreement among neighbours, the lowest first.

    Args:
        labels: True classes, (N,).
        agreement: See `neighbour_agreement`, (N,).
        num_classes: Number of classes to return. Classes with fewer images than the median, or
            fewer than three, are left out.
    """
    present, place, counts = labels.unique(return_inverse=True, return_counts=True)
    means = place.bincount(agreement) / counts
    frequent = counts >= counts.median().clamp_min(MIN_IMAGES)
    order = means[frequent].argsort(stable=True)[:num_classes]
    return present[frequent][order].tolist()


def spread_rows(points: Tensor, num_rows: int, closest: float = 0.0) -> list[int]:
    """Rows of points that lie far apart: each is the farthest from those before it.

    The first one is closest to the mean. The distance is the larger one of the two coordinates, so
    that squares drawn at the points overlap least.

    Args:
        points: (N, 2).
        num_rows: Number of rows at most.
        closest: Smallest distance allowed, as a share of the width of all points.
    """
    least = closest * float((points.amax(dim=0) - points.amin(dim=0)).max())

    def distances(point: Tensor) -> Tensor:
        return (points - point).abs().amax(dim=1)

    rows = [int(distances(points.mean(dim=0)).argmin())]
    nearest = distances(points[rows[0]])
    while len(rows) < min(num_rows, len(points)) and nearest.max() >= least:
        rows.append(int(nearest.argmax()))
        nearest = nearest.minimum(distances(points[rows[-1]]))
    return rows
