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
    from models.evaluation.predictions import Predictions

Kind = Literal["proportion", "score", "loss"]
MetricName = Literal["accuracy", "f1_macro", "log_loss", "quadratic_kappa", "auc"]  # of `--metric`
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
        of_predictions: Computes it from all predictions, if it does not follow from the counts;
            it is then logged only where `--metric` asks for it.
    """

    name: str
    value: "Callable[[EvaluationCounts], Tensor] | None"
    kind: Kind = "score"
    num_classes: range = range(1, MANY)
    of_predictions: "Callable[[Predictions], Tensor] | None" = None

    @property
    def mode(self) -> Literal["min", "max"]:
        """Which value is the best one."""
        return "min" if self.kind == "loss" else "max"


# The first one is shown in the progress bar. With fewer than 6 classes, three guesses are often
# enough by chance, so that no top-k accuracy is logged.
METRICS = (
    Metric("accuracy", lambda counts: counts.accuracy, "proportion"),
    Metric("f1_macro", lambda counts: counts.f1_macro),
    Metric("top3_accuracy", lambda counts: counts.top_k_accuracy(3), "proportion", range(6, 20)),
    Metric("top5_accuracy", lambda counts: counts.top_k_accuracy(5), "proportion", range(20, MANY)),
    Metric("quadratic_kappa", None, of_predictions=lambda found: found.quadratic_kappa),
    Metric("auc", None, of_predictions=lambda found: found.auc),
    Metric("log_loss", None, "loss", of_predictions=lambda found: found.log_loss),
    Metric("loss", lambda counts: counts.loss, "loss"),
)


def metrics_for(num_classes: int) -> list[Metric]:
    """The metrics that every evaluation logs, for a number of classes."""
    return [m for m in METRICS if m.value is not None and num_classes in m.num_classes]


def metric_named(name: str) -> Metric:
    """The metric of this name.

    Raises:
        ValueError: If there is none.
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    known = ", ".join(metric.name for metric in METRICS)
    raise ValueError(f"There is no metric {name!r}; there are {known}.")
