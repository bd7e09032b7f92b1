"""Leave one out: each label against a classifier that was fitted to all other images."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from callbacks.label_suspects import Suspects, copy_groups, find_suspects
from datamodules import ImageDataModule
from models import Backbone, ImageClassifier
from models.device import device_named
from models.evaluation.label_errors import (
    FeatureRows,
    LeaveOneOut,
    feature_batches,
    finite_rows,
)
from models.features import weights_digest


def check_labels(
    data: ImageDataModule, model: ImageClassifier, splits: Sequence[str], corners: bool
) -> Suspects:
    """Compare each label with the prediction of a classifier that was not fitted to its image.

    The features stay in their files, and are read in chunks.

    Args:
        data: The dataset.
        model: The network, of which only the backbone is used.
        splits: Splits whose labels are checked.
        corners: See `gather_features`.

    Raises:
        ValueError: If the dataset does not have a split.
    """
    if missing := [split for split in splits if split not in data.sources]:
        raise ValueError(
            f"The dataset has no {missing[0]} images; its splits are {', '.join(data.sources)}."
        )
    device = torch.device(device_named())
    backbone = model.backbone.to(device).eval()
    features, labels, places = [], [], {}
    for split in splits:
        found = _features(data, split, backbone, corners)
        given = torch.from_numpy(data.sources[split].labels)
        places[split] = ((given >= 0) & finite_rows(found)).nonzero().flatten()
        features.append(found)
        labels.append(given[places[split]])
    rows, copies = FeatureRows(features, [*places.values()]), copy_groups(data.sources, places)
    probabilities = LeaveOneOut(rows, torch.cat(labels), data.num_classes, copies)
    return find_suspects(data.sources, places, torch.cat(labels), probabilities)


def _features(data: ImageDataModule, split: str, backbone: Backbone, corners: bool) -> np.ndarray:
    """Pooled features of all images of a split, (N, D); NaN for an unreadable image."""
    size = len(data.sources[split])

    def compute(batches: Iterator[Sequence[Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
        bar = tqdm(batches, split, -(-size // data.batch_size), delay=2, leave=False)
        for found in feature_batches(backbone, bar, corners):
            yield found.indices, found.features

    return data.derived(split, f"pooled, corners {corners}, {weights_digest(backbone)}", compute)
