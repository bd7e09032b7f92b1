"""The results of an ablation as figures."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.ablation import plot_ablation, plot_class_accuracies, plot_destinations
from lightning_app.commands.ablate.results import Outcome, Results


def figures_of(results: Results, title: str) -> Iterator[tuple[str, Figure]]:
    """Name and figure: of the scores, of each class, and of classes that a variation lacked.

    Args:
        results: What to draw.
        title: Name of the ablation.
    """
    outcomes, variations = results.outcomes, results.variations
    images = f"{len(variations[0].labels):,} {results.split} images"
    missing = (np.nan, np.nan, np.nan)
    yield (
        "ablation",
        plot_ablation(
            [f"{o.name}:\n{o.part}" if o.part else o.name for o in outcomes],
            [outcome.scores for outcome in outcomes],
            [outcome.base_mean for outcome in outcomes],
            np.array([(outcome.against_base or missing)[:3] for outcome in outcomes]),
            f"{title}: {images}",
        ),
    )
    if len(variations) == 1:
        return
    classes = results.class_names
    yield (
        "accuracy_by_class",
        plot_class_accuracies(
            np.stack([_class_accuracies(outcome, classes) for outcome in variations]),
            [outcome.name for outcome in variations],
            classes,
            f"{title}: classes of {images}",
            counts=[int((variations[0].labels == label).sum()) for label in classes],
        ),
    )
    if shares := _destinations(variations, classes):
        text = f"{title}: where images of classes go that were not trained on"
        yield "classes_left_out", plot_destinations(shares, classes, text)


def _class_accuracies(outcome: Outcome, classes: list[str]) -> np.ndarray:
    """Accuracy of each class, the mean over the seeds, (K,)."""
    right = outcome.right.double().mean(dim=0).numpy()
    members = [outcome.labels == label for label in classes]
    return np.array([right[own].mean() if own.any() else np.nan for own in members])


def _destinations(outcomes: Sequence[Outcome], classes: list[str]) -> dict[str, np.ndarray]:
    """Shares of the classes that images of a class that was left out are taken for."""
    shares: dict[str, np.ndarray] = {}
    for outcome in outcomes:
        for label in outcome.excluded:
            taken = outcome.predicted[:, outcome.labels == label]
            if taken.size:
                counts = np.array([(taken == other).sum() for other in classes])
                shares[f"{label}\n{outcome.name}"] = counts / taken.size
    return shares
