"""Unknowns: images that are unlike those of the dataset, such as other subjects or noise."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from models.full_precision import full_precision

NEIGHBOURS = 5
MAX_BANK = 500  # images that are kept for comparison: they are a part of every checkpoint
REFUSED = 0.05  # share of the images of the dataset that are refused by mistake
ENOUGH = round(1 / REFUSED)  # images of which that share is one


class Neighbours(NamedTuple):
    """Nearest neighbours in features (Sun et al., 2022): a known image has similar ones.

    Attributes:
        bank: Directions of the features of images of the dataset, (M, D).
        threshold: Cosine below which an image is unknown.
    """

    bank: Tensor
    threshold: float

    @full_precision
    def similarity(self, features: Tensor) -> Tensor:
        """Cosine of the angle to the k-th nearest neighbour in the bank, (N,), k = `NEIGHBOURS`.

        Args:
            features: Those before the head, (N, D).
        """
        k = min(NEIGHBOURS, len(self.bank))
        cosines = normalize(features.float(), dim=1) @ self.bank.to(features.device).T
        return cosines.topk(k, dim=1).values[:, -1]


def fit_neighbours(features: Tensor) -> Neighbours | None:
    """Keep some images, and choose the threshold that refuses 5 % of them.

    Each is compared with the others. None for fewer than 20 images, of which that is not one.

    Args:
        features: Those before the head, (N, D), of images that the network was not trained on: it
            has moved its training images closer together.
    """
    if len(features) < ENOUGH:
        return None
    bank = normalize(features[:: -(-len(features) // MAX_BANK)].float(), dim=1)
    own = leave_one_out(bank)
    return Neighbours(bank, refusing_threshold(own))


def refusing_threshold(scores: Tensor) -> float:
    """The score that 5 % of the images are below, or fewer, as their number allows.

    Args:
        scores: Of known images, (N,), one or more.
    """
    return float(scores.kthvalue(int(REFUSED * len(scores)) + 1).values)


@full_precision
def leave_one_out(features: Tensor) -> Tensor:
    """Similarity of each image to the others, (N,); see `Neighbours.similarity`."""
    cosines = normalize(features, dim=1) @ normalize(features, dim=1).T
    cosines.fill_diagonal_(-torch.inf)
    return cosines.topk(min(NEIGHBOURS, len(features) - 1), dim=1).values[:, -1]


def energy(logits: Tensor) -> Tensor:
    """Negative energy (Liu et al., 2020): log of the sum of the exponentials, (N,)."""
    return logits.double().logsumexp(dim=1)


def largest_logit(logits: Tensor) -> Tensor:
    """Largest logit (Hendrycks et al., 2022), (N,)."""
    return logits.double().amax(dim=1)


def auroc(known: Tensor, unknown: Tensor) -> float:
    """Area under the ROC curve: how often a known image has the higher score, ties counting half.

    Args:
        known: Scores of images of the dataset, (N,).
        unknown: Scores of other images, (M,).
    """
    ordered = unknown.double().sort().values
    given = known.double()
    below = torch.searchsorted(ordered, given) + torch.searchsorted(ordered, given, right=True)
    return float(below.double().mean() / 2 / len(ordered))
