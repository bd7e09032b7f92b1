"""Nearest neighbour: the class of the most similar other image, and the most similar images."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

CHUNK = 1024  # images whose similarities are computed at once


def nearest_neighbour(features: Tensor, labels: Tensor, groups: Tensor | None = None) -> Tensor:
    """Label of the most similar other image, by the cosine of the angle of the features, (N,).

    Args:
        features: Standardised, (N, D).
        labels: (N,).
        groups: A number for each image, (N,), equal for copies of one original, which are no
            neighbours. None if there are no copies.
    """
    directions = normalize(features, dim=1)
    own = torch.arange(len(labels)) if groups is None else groups
    nearest = []
    for rows in torch.arange(len(labels)).split(CHUNK):
        similarity = directions[rows] @ directions.T
        similarity[own[rows][:, None] == own] = -torch.inf
        nearest.append(similarity.argmax(dim=1))
    return labels[torch.cat(nearest)]


def most_similar(features: Tensor, others: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """The most similar others, by the cosine of the angle of the features.

    Args:
        features: Standardised, (N, D).
        others: Standardised in the same way, (M, D).
        most: How many others, at most M.

    Returns:
        Cosines, (N, most), the largest first, and the rows of these others.
    """
    cosines = normalize(features, dim=1) @ normalize(others, dim=1).T
    similarities, rows = cosines.topk(min(most, len(others)), dim=1)
    return similarities, rows
