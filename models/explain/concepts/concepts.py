"""Concepts of a class: which parts of its images a network knows, and how much each matters."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.explain.concepts.crops import Box, crop_boxes, enlarged_crops
from models.explain.concepts.cut_network import CutNetwork
from models.explain.concepts.factors import coefficients_of, factorise, merge_parts, signed_parts
from models.explain.concepts.importance import Score, occlusion_falls, total_sobol_indices

VALUES = 2**24  # of the changed maps of a forward pass: 64 MiB


@dataclass(frozen=True, eq=False)
class Concepts:
    """Concepts of a class, the most important first.

    Attributes:
        in_crops: How much of each concept each crop shows, (N, K, rank), not negative.
        in_images: How much of each concept there is at each position, (N, rank, h, w).
        importance: Total Sobol index of each concept for the logit of the class, (rank,).
        falls: How much the logit falls without the concept, (rank,); below 0 if it rises.
        explained: Share of the activations of the crops (of their sum of squares) that the
            concepts reproduce, in [0, 1].
    """

    in_crops: np.ndarray
    in_images: np.ndarray
    importance: np.ndarray
    falls: np.ndarray
    explained: float

    def top_crops(self, concept: int, number: int) -> list[tuple[int, int]]:
        """Image and crop of those that show a concept most, at most one crop of an image."""
        amounts = self.in_crops[..., concept]
        best = amounts.argmax(axis=1).tolist()
        order = np.argsort(-amounts.max(axis=1), kind="stable").tolist()
        return [(image, best[image]) for image in order[:number] if amounts[image].any()]

    def top_images(self, concept: int, number: int) -> list[int]:
        """The images that show a concept most somewhere."""
        amounts = self.in_images[:, concept].max(axis=(1, 2))
        order = np.argsort(-amounts, kind="stable").tolist()
        return [image for image in order[:number] if amounts[image] > 0]


def find_concepts(
    network: CutNetwork,
    images: Tensor,
    target: int,
    num_concepts: int = 6,
    crop: float = 1 / 3,
    scale: float = 1.0,
) -> Concepts:
    """Find concepts as CRAFT does (Fel et al., CVPR 2023), and their importance (NeurIPS 2023).

    The activations of crops, averaged over their positions, are factorised into non-negative
    coefficients and directions, the concepts. Coefficients of whole images follow by non-negative
    least squares at each position. The importance of a concept is its total Sobol index for the
    logit of the class if each concept of an image is scaled by a factor in [0, 1], averaged over
    the images.

    Unlike in the paper, what the concepts do not reproduce is kept when they are scaled, so that
    with all of them the logit is that of the network; and negative activations are not lost (see
    `signed_parts`).

    Args:
        network: The network and the layer.
        images: Images in [0, 1] that the network predicts as the class, (N, C, H, W).
        target: The class.
        num_concepts: Number of concepts.
        crop: Side of the crops relative to that of the images, in (0, 1].
        scale: Side to which the crops are enlarged, relative to that of the images.

    Raises:
        NothingToShow: If the network does not take changed maps.
        ValueError: If the crop is out of range.
    """
    boxes = crop_boxes(images.shape[2:], crop)
    pooled = torch.cat([_of_crops(network, image, boxes, scale) for image in images])
    parts = signed_parts(pooled.cpu().double().numpy())
    in_crops, directions = factorise(parts, num_concepts)
    rest = np.square(parts - in_crops @ directions).sum() / max(np.square(parts).sum(), 1e-12)
    maps, indices, falls = [], [], []
    for image in images.split(1):
        maps.append(_in_image(network.activations(image), directions))
        score = _score(network, image, target, maps[-1], merge_parts(directions))
        indices.append(total_sobol_indices(score, num_concepts))
        falls.append(occlusion_falls(score, num_concepts))
    importance = np.mean(indices, axis=0)
    order = np.argsort(-importance, kind="stable")
    return Concepts(
        in_crops.reshape(len(images), len(boxes), num_concepts)[..., order],
        np.stack(maps)[:, order],
        importance[order],
        np.mean(falls, axis=0)[order],
        float(1 - rest),
    )


def _of_crops(network: CutNetwork, image: Tensor, boxes: list[Box], scale: float) -> Tensor:
    """Mean activations of each crop of an image, (K, D)."""
    return network.activations(enlarged_crops(image, boxes, scale)).mean(dim=(2, 3))


def _in_image(activations: Tensor, directions: np.ndarray) -> np.ndarray:
    """Coefficients at each position of an image, (rank, h, w)."""
    rows = activations[0].flatten(1).T.cpu().double().numpy()
    found = coefficients_of(signed_parts(rows), directions)
    return found.T.reshape(-1, *activations.shape[2:])


def _score(
    network: CutNetwork, image: Tensor, target: int, present: np.ndarray, directions: np.ndarray
) -> Score:
    """The logit of the class as a function of masks (n, rank), which scale the concepts."""
    maps, ways = (torch.from_numpy(array).to(image) for array in (present, directions))
    each = torch.einsum("rhw,rd->rdhw", maps, ways)
    at_once = max(VALUES // each[0].numel(), 1)

    def score(masks: np.ndarray) -> np.ndarray:
        logits = []
        for chunk in torch.from_numpy(masks - 1).to(image).split(at_once):
            changes = torch.einsum("nr,rdhw->ndhw", chunk, each)
            logits.append(network.logits(image, changes)[:, target].cpu())
        return torch.cat(logits).numpy()

    return score
