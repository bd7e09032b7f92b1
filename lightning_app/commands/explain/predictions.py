"""Predictions of the network for each image."""

from collections.abc import Sequence
from typing import Any

import torch
from tqdm import tqdm

from callbacks.output_recorder import Outputs
from callbacks.prediction_writer import prediction_columns, uncertainty_columns
from lightning_app.cli.networks.images import Images
from lightning_app.cli.networks.network import Network, outputs_of
from models.evaluation.predictions import UNLABELLED, Predictions

BATCH = 32
TOP = 5  # most probable classes in the table


def predict(network: Network, images: Images) -> Outputs:
    """Predictions for all images, which have no labels, and how similar they are to known ones.

    Raises:
        ValueError: If the number of logits differs from the number of class names.
    """
    batches = range(0, len(images), BATCH)
    shown = tqdm(batches, "predictions", leave=False, disable=None if len(batches) > 1 else True)
    found, similar = [], []
    for start in shown:
        batch = images.batch(range(start, min(start + BATCH, len(images))))
        outputs = outputs_of(network, batch)
        found.append(outputs["logits"])
        similar += [outputs["similarity"]] if "similarity" in outputs else []
    logits, known = torch.cat(found), len(network.class_names)
    if logits.shape[1] != known:
        raise ValueError(
            f"The network has {logits.shape[1]} classes, but there are {known} class names; "
            "use --class_names FILE, a file with one name per line."
        )
    unlabelled = torch.full((len(logits),), UNLABELLED)
    predictions = Predictions(logits, unlabelled, torch.arange(len(logits)))
    return Outputs(predictions, similarity=torch.cat(similar) if similar else None)


def prediction_table(
    network: Network, names: Sequence[str], outputs: Outputs
) -> dict[str, list[Any]]:
    """Columns of the table: image, predicted class, confidence, the next classes, uncertainty."""
    predictions, classes = outputs.predictions, network.class_names
    uncertainty = getattr(network.model, "uncertainty", None)
    columns = {"image": [*names], **prediction_columns(predictions, classes, TOP)}
    return columns | uncertainty_columns(uncertainty, predictions, outputs.similarity, classes)
