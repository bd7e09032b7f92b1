"""Active learning: which unlabelled images would teach a network most."""

from typing import Literal

import torch
from torch import Tensor

Strategy = Literal["margin", "diversity", "both"]
POOL = 2  # times as many uncertain images as are asked for, of which `both` takes diverse ones
SAME = 0.999  # cosine of the features of near-copies


def choose_images(
    probabilities: Tensor, features: Tensor, count: int, strategy: Strategy = "diversity"
) -> Tensor:
    """Choose images to label, the most useful one first.

    `margin`: those whose two most probable classes are closest (Scheffer, Decomain and Wrobel,
    2001). `diversity`: each one the farthest from all chosen before, by its features (k-centre
    greedy, Sener and Savarese, 2018). `both`: diverse ones among the most uncertain. Of
    near-copies, only one is chosen.

    Args:
        probabilities: Of the classes, (N, K).
        features: (N, D).
        count: Number of images.
        strategy: See above.

    Returns:
        Rows, (n,); n is below `count` if there are fewer different images.
    """
    unit = torch.nn.functional.normalize(features.double())
    highest = probabilities.topk(2, dim=1).values
    uncertain = (highest[:, 0] - highest[:, 1]).argsort(stable=True)
    if strategy == "margin":
        return _different(unit, uncertain, count)
    pool = uncertain if strategy == "diversity" else uncertain[: POOL * count]
    return pool[_k_centres(unit[pool], count)]


def _different(unit: Tensor, order: Tensor, count: int) -> Tensor:
    """The first rows of an order that are no near-copies of one before."""
    chosen: list[int] = []
    for row in order.tolist():
        if len(chosen) == count:
            break
        if not chosen or float((unit[chosen] @ unit[row]).max()) < SAME:
            chosen.append(row)
    return torch.tensor(chosen, dtype=torch.int64)


def _k_centres(unit: Tensor, count: int) -> Tensor:
    """Rows that are far from one another, starting with the first one, (n,)."""
    chosen, closest = [0], unit @ unit[0]
    while len(chosen) < min(count, len(unit)):
        farthest = int(closest.argmin())
        if float(closest[farthest]) >= SAME:
            break
        chosen.append(farthest)
        closest = torch.maximum(closest, unit @ unit[farthest])
    return torch.tensor(chosen, dtype=torch.int64)
