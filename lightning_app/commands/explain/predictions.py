"""Predictions of the network for each image."""

from collections.abc import Sequence
from typing import Any

import torch
from tqdm import tqdm

from callbacks.prediction_writer import prediction_columns
from lightning_app.cli.networks.network import Network
from lightning_app.commands.explain.images import Images
from models.evaluation.predictions import UNLABELLED, Predictions

BATCH = 32
TOP = 5  # most probable classes in the table


def predict(network: Network, images: Images) -> Predictions:
    """Predictions for all images, which have no labels.

    Raises:
        ValueError: If the number of logits differs from the number of class names.
    """
    batches = range(0, len(images), BATCH)
    shown = tqdm(batches, "predictions", leave=False, disable=None if len(batches) > 1 else True)
    found = []
    with torch.inference_mode():
        for start in shown:
            batch = images.batch(range(start, min(start + BATCH, len(images))))
            found.append(network.model(batch.to(network.device)).float().cpu())
    logits, known = torch.cat(found), len(network.class_names)
    if logits.shape[1] != known:
        raise ValueError(
            f"The network has {logits.shape[1]} classes, but there are {known} class names; "
            "use --class_names FILE, a file with one name per line."
        )
    unlabelled = torch.full((len(logits),), UNLABELLED)
    return Predictions(logits, unlabelled, torch.arange(len(logits)))


def prediction_table(
    network: Network, names: Sequence[str], predictions: Predictions
) -> dict[str, list[Any]]:
    """Columns of the table: image, predicted class and confidence, then the next classes."""
    return {"image": [*names], **prediction_columns(predictions, network.class_names, TOP)}
