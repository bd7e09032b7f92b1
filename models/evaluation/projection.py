"""Features of images as points in the plane, and how well their neighbours agree."""

from typing import Any, NamedTuple

import torch
from scipy.linalg import eigh
from torch import Tensor

TSNE_STEPS = 500  # half of scikit-learn's, and from a start by PCA as good as there
FEWEST = 3  # images of a class that tell whether it is mixed
TSNE_COMPONENTS = 50  # of PCA, before (van der Maaten and Hinton, 2008)


class Plane(NamedTuple):
    """Features seen along their principal components.

    Attributes:
        points: (N, k), float32, centred.
        explained: Share of the variance that each component holds, (k,).
    """

    points: Tensor
    explained: Tensor


def principal_components(features: Tensor, num_components: int = 2) -> Plane:
    """Principal component analysis of features (N, D).

    The largest loading of each component is positive. Components that the features do not have,
    because there are too few of them or they are all alike, are 0.
    """
    centred = features.double() - features.double().mean(dim=0)
    wide = centred.shape[1] > centred.shape[0]
    products = centred @ centred.T if wide else centred.T @ centred
    found = min(num_components, len(products))
    last = (len(products) - found, len(products) - 1)
    values, vectors = map(torch.from_numpy, eigh(products.numpy(), subset_by_index=last))
    values, vectors = values.flip(0).clamp_min(0), vectors.flip(1)
    points = vectors * values.sqrt() if wide else centred @ vectors
    loadings = centred.T @ vectors if wide else vectors
    largest = loadings.gather(0, loadings.abs().argmax(dim=0, keepdim=True))
    padding = (0, num_components - found)
    total = products.trace().clamp_min(torch.finfo(torch.float64).tiny)
    return Plane(
        torch.nn.functional.pad(points * largest.sign(), padding).float(),
        torch.nn.functional.pad(values / total, padding).float(),
    )


def tsne(features: Tensor) -> Tensor:
    """t-SNE (van der Maaten and Hinton, 2008) of features (N, D), from a start by PCA: (N, 2).

    The same features give the same map. Distances between groups, and their sizes, mean nothing.
    """
    from sklearn.manifold import TSNE  # takes a second to import

    num_components = min(TSNE_COMPONENTS, features.shape[1])
    reduced = principal_components(features, max(num_components, 2)).points
    start: Any = (1e-4 * reduced[:, :2] / reduced[:, 0].std().clamp_min(1e-30)).numpy()
    perplexity = min(30.0, (len(features) - 1) / 3)
    # The start is that of its `init="pca"`, which divides by zero where all features are alike.
    method = TSNE(perplexity=perplexity, init=start, max_iter=TSNE_STEPS, random_state=0)
    return torch.from_numpy(method.fit_transform(reduced.numpy()))


def turned_by_class(points: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Turn and mirror a map so that the classes lie as near as may be to places on a circle.

    What is left and right in a map is arbitrary, and the sign of a loading does not tell: features
    trade places while they train. Class 0 lies to the right wherever it can, the others follow
    counter-clockwise: so the maps of two epochs, or of two runs, can be compared. No distance
    changes (orthogonal Procrustes; Schönemann, 1966).

    Args:
        points: (N, 2).
        labels: True classes, (N,).
        num_classes: How many classes there are.
    """
    angles = 2 * torch.pi * labels.double() / num_classes
    places = torch.stack([angles.cos(), angles.sin()], dim=1)
    # Two classes lie on a line: which side of it is up is told by the order of the images.
    places[:, 1] += 1e-3 * torch.linspace(-1, 1, len(labels), dtype=torch.float64)
    centred = points.double() - points.double().mean(dim=0)
    left, _, right = torch.linalg.svd(centred.T @ (places - places.mean(dim=0)))
    return (centred @ left @ right).float()


def neighbour_agreement(features: Tensor, labels: Tensor, num_neighbours: int = 10) -> Tensor:
    """Share of the nearest neighbours of each image that are of its class, (N,) in [0, 1].

    An image asks no more neighbours than there are others of its class, so that 1 can be reached;
    one that is alone in its class has 0.

    Args:
        features: (N, D).
        labels: True classes, (N,).
        num_neighbours: How many to ask at most, by Euclidean distance.
    """
    num_neighbours = min(num_neighbours, len(features) - 1)
    distances = torch.cdist(features, features)
    distances.fill_diagonal_(torch.inf)
    nearest = distances.topk(num_neighbours, largest=False).indices
    asked = (labels.bincount()[labels] - 1).clamp(1, num_neighbours)
    counted = torch.arange(num_neighbours) < asked[:, None]
    return ((labels[nearest] == labels[:, None]) & counted).sum(dim=1) / asked


def most_mixed(labels: Tensor, agreement: Tensor, num_classes: int) -> list[int]:
    """The classes whose images agree least with their neighbours, the worst first.

    Args:
        labels: True classes, (N,).
        agreement: See `neighbour_agreement`, (N,).
        num_classes: How many to name, out of those that are at least as frequent as most
            and have three images.
    """
    present, place, counts = labels.unique(return_inverse=True, return_counts=True)
    means = place.bincount(agreement) / counts
    frequent = counts >= counts.median().clamp_min(FEWEST)
    order = means[frequent].argsort(stable=True)[:num_classes]
    return present[frequent][order].tolist()


def spread_rows(points: Tensor, num_rows: int, closest: float = 0.0) -> list[int]:
    """Rows of points (N, 2) that lie far apart: each is the farthest from those before it.

    The first is the one next to the middle. A distance is the larger one of both directions, so
    that squares on the points cover each other least.

    Args:
        points: (N, 2).
        num_rows: How many, at most.
        closest: How near two of them may lie, as a share of the width of them all.
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
