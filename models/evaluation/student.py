"""Student's interval of a mean of scores, such as those of several seeds or folds."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import t

from models.evaluation.paired_test import CONFIDENCE


def student_interval(scores: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean of scores in [0, 1] (Student, 1908).

    NaN with a single score, and if all happen to be the same: an interval of no width would promise
    that every other one is the same, too.
    """
    count, mean = len(scores), float(np.mean(scores))
    if len(set(scores)) < 2:
        return math.nan, math.nan
    spread = float(np.std(scores, ddof=1))
    reach = float(t.ppf((1 + CONFIDENCE) / 2, count - 1)) * spread / math.sqrt(count)
    return max(mean - reach, 0.0), min(mean + reach, 1.0)
