"""Predictions of a network for the images that the user names."""

from collections.abc import Sequence
from typing import Any

import torch
from tqdm import tqdm

from callbacks.predictions import prediction_columns
from lightning_app.commands.explain.images import Images
from lightning_app.commands.explain.network import Network
from models.evaluation.predictions import UNLABELLED, Predictions

BATCH = 32
TOP = 5  # classes that the table lists


def predict(network: Network, images: Images) -> Predictions:
    """Predictions for all images, which have no labels.

    Raises:
        ValueError: If the network has another number of logits than there are class names.
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
            f"The network tells {logits.shape[1]} classes apart, and there are names of "
            f"{known}: give a file with a name in each line as --class_names FILE."
        )
    unlabelled = torch.full((len(logits),), UNLABELLED)
    return Predictions(logits, unlabelled, torch.arange(len(logits)))


def prediction_table(
    network: Network, names: Sequence[str], predictions: Predictions
) -> dict[str, list[Any]]:
    """Columns image, predicted, confidence, and the same of the next most probable classes."""
    return {"image": [*names], **prediction_columns(predictions, network.class_names, TOP)}
