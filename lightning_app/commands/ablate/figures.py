"""Figures of the results of an ablation."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.ablation import plot_ablation, plot_class_recalls, plot_destinations
from callbacks.plots.training_courses import plot_training_courses
from lightning_app.commands.ablate.results import AblationResults
from lightning_app.commands.ablate.variation_result import VariationResult


def result_figures(results: AblationResults, title: str) -> Iterator[tuple[str, Figure]]:
    """Plot the scores, the training, the recall of each class, and the fate of excluded classes.

    Args:
        results: What to plot.
        title: Name of the ablation.

    Yields:
        The name and the figure.
    """
    rows, variations = results.rows, results.variations
    images = f"{len(variations[0].labels):,} {results.split} images"
    missing = (np.nan, np.nan, np.nan)
    yield (
        "ablation",
        plot_ablation(
            [f"{row.name}:\n{row.part}" if row.part else row.name for row in rows],
            [row.scores for row in rows],
            [row.base_mean for row in rows],
            np.array([(row.against_base or missing)[:3] for row in rows]),
            f"{title}: {images}",
        ),
    )
    if not np.isnan(results.goal):
        yield "training", _training(results, f"{title}: training of each variation and seed")
    if len(variations) == 1:
        return
    classes = results.class_names
    yield (
        "recall_by_class",
        plot_class_recalls(
            np.stack([_class_recalls(variation, classes) for variation in variations]),
            [variation.name for variation in variations],
            classes,
            f"{title}: recall by class, {images}",
            counts=[int((variations[0].labels == label).sum()) for label in classes],
        ),
    )
    if shares := _destinations(variations, classes):
        text = f"{title}: predictions for images of excluded classes"
        yield "classes_left_out", plot_destinations(shares, classes, text)


def _training(results: AblationResults, title: str) -> Figure:
    courses = {variation.name: variation.course for variation in results.variations}
    accuracies, train_losses, val_losses = (
        {
            name: [sorted(history.items()) for history in getattr(course, metric)]
            for name, course in courses.items()
        }
        for metric in ("accuracies", "train_losses", "val_losses")
    )
    return plot_training_courses(accuracies, train_losses, val_losses, results.goal, title)


def _class_recalls(variation: VariationResult, classes: list[str]) -> np.ndarray:
    """Recall of each class, the mean over the seeds, (K,)."""
    correct = variation.correct.double().mean(dim=0).numpy()
    members = [variation.labels == label for label in classes]
    return np.array([correct[own].mean() if own.any() else np.nan for own in members])


def _destinations(
    variations: Sequence[VariationResult], classes: list[str]
) -> dict[str, np.ndarray]:
    """Shares of the classes that images of an excluded class are predicted as."""
    shares: dict[str, np.ndarray] = {}
    for variation in variations:
        for label in variation.excluded:
            predicted = variation.predicted[:, variation.labels == label]
            if predicted.size:
                counts = np.array([(predicted == other).sum() for other in classes])
                shares[f"{label}\n{variation.name}"] = counts / predicted.size
    return shares
