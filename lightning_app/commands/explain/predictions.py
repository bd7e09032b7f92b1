"""What the network says of each image."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from callbacks.predictions import prediction_columns
from lightning_app.commands.explain.images import Images
from lightning_app.commands.explain.network import Network

BATCH = 32
TOP = 5  # classes that the table lists


def probabilities_of(network: Network, images: Images) -> Tensor:
    """Softmax of the logits of each image, (N, K), on the CPU.

    Raises:
        ValueError: If the network has another number of logits than there are class names.
    """
    batches = range(0, len(images), BATCH)
    shown = tqdm(batches, "predictions", leave=False, disable=None if len(batches) > 1 else True)
    found = []
    with torch.inference_mode():
        for start in shown:
            batch = images.batch(range(start, min(start + BATCH, len(images))))
            found.append(network.model(batch.to(network.device)).float().softmax(dim=1).cpu())
    probabilities, known = torch.cat(found), len(network.class_names)
    if probabilities.shape[1] != known:
        raise ValueError(
            f"The network tells {probabilities.shape[1]} classes apart, and there are names of "
            f"{known}: give a file with a name in each line as --class_names FILE."
        )
    return probabilities


def prediction_table(
    network: Network, names: Sequence[str], probabilities: Tensor
) -> dict[str, list[Any]]:
    """Columns image, predicted, confidence, and the same of the next most probable classes."""
    return {"image": [*names], **prediction_columns(probabilities, network.class_names, TOP)}
