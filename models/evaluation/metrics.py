"""Metrics of a validation or test: one list that training, reports, the UI and `compare` read.

To add a metric, add an entry to `METRICS` and its name to `metrics` in each of
`lightning_app/pages/texts/`. This module does not import torch, so that commands that only read
metrics start quickly.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from models.evaluation.counts import EvaluationCounts

Kind = Literal["proportion", "score", "loss"]
MANY = sys.maxsize


@dataclass(frozen=True)
class Metric:
    """A number that measures how good a network is, computed from the counts of all batches.

    Attributes:
        name: It is logged as `val/<name>` and `test/<name>`, and is the key of its text in reports.
        value: Computes it, from the counts over all processes.
        kind: `proportion`: a share of the images, which has a binomial confidence interval;
            `score`: another number in [0, 1], higher is better; `loss`: any number, lower is
            better.
        num_classes: Numbers of classes with which it is logged.
    """

    name: str
    value: "Callable[[EvaluationCounts], Tensor]"
    kind: Kind = "score"
    num_classes: range = range(1, MANY)


# The first one is shown in the progress bar. With fewer than 6 classes, three guesses are often
# enough by chance, so that no top-k accuracy is logged.
METRICS = (
    Metric("accuracy", lambda counts: counts.accuracy, "proportion"),
    Metric("f1_macro", lambda counts: counts.f1_macro),
    Metric("top3_accuracy", lambda counts: counts.top_k_accuracy(3), "proportion", range(6, 20)),
    Metric("top5_accuracy", lambda counts: counts.top_k_accuracy(5), "proportion", range(20, MANY)),
    Metric("loss", lambda counts: counts.loss, "loss"),
)


def metrics_for(num_classes: int) -> list[Metric]:
    """The metrics that are logged for a number of classes."""
    return [metric for metric in METRICS if num_classes in metric.num_classes]
