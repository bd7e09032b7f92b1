"""The results of an ablation as figures."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.ablation import plot_ablation, plot_class_accuracies, plot_destinations
from lightning_app.ablate.results import Results


def figures_of(results: Results, title: str) -> Iterator[tuple[str, Figure]]:
    """Name and figure: of the scores, of each class, and of classes that a variation lacked.

    Args:
        results: What to draw.
        title: Name of the ablation.
    """
    outcomes, names = results.outcomes, list(results.rows)
    images = f"{len(results.answers.images):,} {results.split} images"
    missing = (np.nan, np.nan, np.nan)
    yield (
        "ablation",
        plot_ablation(
            [outcome.name for outcome in outcomes],
            [outcome.scores for outcome in outcomes],
            [outcome.base_mean for outcome in outcomes],
            np.array([(outcome.against_base or missing)[:3] for outcome in outcomes]),
            f"{title}: {images}",
        ),
    )
    if len(names) == 1:
        return
    classes = results.class_names
    of_classes = np.stack([_class_accuracies(results, name, classes) for name in names])
    yield (
        "accuracy_by_class",
        plot_class_accuracies(of_classes, names, classes, f"{title}: classes of {images}"),
    )
    if shares := _destinations(results, classes):
        text = f"{title}: where images of classes go that were not trained on"
        yield "classes_left_out", plot_destinations(shares, classes, text)


def _class_accuracies(results: Results, name: str, classes: list[str]) -> np.ndarray:
    """Accuracy of each class, the mean over the seeds, (K,)."""
    right = results.answers.right[results.rows[name]].double().mean(dim=0).numpy()
    members = [results.answers.labels == label for label in classes]
    return np.array([right[own].mean() if own.any() else np.nan for own in members])


def _destinations(results: Results, classes: list[str]) -> dict[str, np.ndarray]:
    """Shares of the classes that images of a class that was left out are taken for."""
    shares: dict[str, np.ndarray] = {}
    for outcome in results.outcomes:
        predicted = results.answers.predicted[results.rows[outcome.name]]
        for label in outcome.excluded:
            taken = predicted[:, results.answers.labels == label]
            if taken.size:
                counts = np.array([(taken == other).sum() for other in classes])
                shares[f"{label}\n{outcome.name}"] = counts / taken.size
    return shares
