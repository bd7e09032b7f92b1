"""Wilson interval of a share of images; does not import torch, so that commands start quickly."""

import math

NORMAL_95 = 1.959964  # 97.5 % quantile of the standard normal distribution


def wilson(share: float, number: int) -> tuple[float, float]:
    """95 % confidence interval of a binomial proportion (Wilson, 1927)."""
    square = NORMAL_95**2 / number
    middle = share + square / 2
    half = NORMAL_95 * math.sqrt(share * (1 - share) / number + square / 4 / number)
    return (middle - half) / (1 + square), (middle + half) / (1 + square)
