"""Metrics that competitions ask for, computed from all images at once."""

import torch
from scipy.stats import rankdata
from torch import Tensor


def quadratic_kappa(confusion: Tensor) -> Tensor:
    """Cohen's kappa with quadratic weights (Cohen, 1968), for classes in an order.

    Args:
        confusion: Images (label, prediction), (K, K).

    Returns:
        () float64, 1 for no mistake and 0 for chance; NaN if all images have one label and
        prediction.
    """
    counts = confusion.double()
    places = torch.arange(len(counts), dtype=torch.float64)
    weights = (places[:, None] - places).square()
    expected = counts.sum(dim=1)[:, None] * counts.sum(dim=0) / counts.sum()
    return 1 - (weights * counts).sum() / (weights * expected).sum()


def auc_macro(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Area under the ROC curve of each class against the rest, the mean over the classes.

    It is the probability that an image of the class has a higher probability of it than another
    image (Mann and Whitney, 1947). Classes without an image are left out.

    Args:
        probabilities: (N, K).
        labels: True classes, (N,).

    Returns:
        () float64 in [0, 1]; NaN if no class can be told from others.
    """
    areas = []
    # Of two classes, both areas are equal, but for rounding; this one is scikit-learn's.
    classes = [1] if probabilities.shape[1] == 2 else labels.unique().tolist()
    for number in classes:
        own = labels == number
        inside, outside = int(own.sum()), int((~own).sum())
        ranks = torch.from_numpy(rankdata(probabilities[:, number].numpy()))
        if inside and outside:
            area = (ranks[own].sum() - inside * (inside + 1) / 2) / (inside * outside)
            areas.append(area)
    return torch.stack(areas).mean() if areas else torch.tensor(torch.nan, dtype=torch.float64)
