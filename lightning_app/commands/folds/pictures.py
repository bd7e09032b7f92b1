"""Pictures and metrics of out-of-fold predictions, as those of a run."""

from collections.abc import Iterator

import torch
from matplotlib.figure import Figure
from mlflow import MlflowClient
from torch import nn

from callbacks.output_recorder import Outputs
from callbacks.pictures import Calibration, ClassScores, ConfusionMatrix, Mistakes, PictureContext
from callbacks.pictures.picture import PictureOutput
from callbacks.tracking import store_figure, store_table
from datamodules import ImageDataModule
from datamodules.sources.source import ImageSource
from lightning_app.commands.folds.out_of_fold import OutOfFold
from lightning_app.store.describe_run import OUT_OF_FOLD
from models.evaluation.counts import EvaluationCounts
from models.evaluation.metrics import metrics_for
from models.explain import NothingToShow
from models.losses.loss import CrossEntropy


def store_pictures(
    client: MlflowClient, run_id: str, found: OutOfFold, data: ImageDataModule
) -> None:
    """Store the confusion matrix, the scores of each class, the mistakes and the calibration.

    Args:
        client: The store.
        run_id: The run.
        found: The predictions.
        data: The dataset, which has the images.
    """
    for name, content in _draw(_context(found, data)):
        if isinstance(content, Figure):
            store_figure(client, run_id, content, f"figures/{OUT_OF_FOLD}_{name}.png")
        elif isinstance(content, dict):
            store_table(client, run_id, content, f"{name}_{OUT_OF_FOLD}")
        elif isinstance(content, float):
            client.log_metric(run_id, f"{OUT_OF_FOLD}/{name}", content, step=0)


def scores_of(found: OutOfFold) -> dict[str, float]:
    """Value of each metric, as a validation computes it."""
    num_classes = len(found.class_names)
    counts = EvaluationCounts(num_classes, torch.device("cpu"), CrossEntropy([1] * num_classes))
    predictions = found.predictions
    counts.update(predictions.logits, predictions.labels)
    chosen = metrics_for(num_classes)
    return {each.name: float(each.value(counts)) for each in chosen if each.value is not None}


def _draw(context: PictureContext) -> Iterator[PictureOutput]:
    # The network of a mistake is that of its fold, so no single one can explain them.
    for picture in (ConfusionMatrix(), ClassScores(), Mistakes(grad_cam=False), Calibration()):
        try:
            yield from picture.draw(context)
        except NothingToShow:
            continue


def _context(found: OutOfFold, data: ImageDataModule) -> PictureContext:
    """The images and predictions as pictures take them."""
    loaded = data.load()["train"]
    places = {name: place for place, name in enumerate(loaded.names)}
    rows = loaded.rows[[places[name] for name in found.images]]
    source = ImageSource(loaded.reader, found.labels, found.images, rows=rows)
    data.sources[OUT_OF_FOLD] = source

    def sample(num_images: int) -> tuple[torch.Tensor, torch.Tensor]:
        shown = range(min(num_images, len(source)))
        return data.images(OUT_OF_FOLD, shown), torch.from_numpy(source.labels[: len(shown)])

    return PictureContext(
        nn.Identity(),
        found.class_names,
        sample,
        "out of fold",
        OUT_OF_FOLD,
        outputs=Outputs(found.predictions),
        data=data,
    )
