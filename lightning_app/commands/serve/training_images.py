"""Training images of a run, of which `serve` shows those that are most similar to an image."""

from copy import deepcopy
from threading import Event, Thread
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from callbacks.frozen_features import frozen_features
from datamodules import ImageDataModule
from datamodules.sources.image_limits import UnreadableImageError
from datamodules.sources.source import ImageSource
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.pages.data_uris import embed_thumbnail
from models import Backbone, ImageClassifier
from models.evaluation.nearest_neighbour import most_similar
from models.standardize import Standardize

PURPOSE = "The nearest training images need the data of the run"
PENDING = "The features of the training images are still being computed; ask again later."


class Index(NamedTuple):
    """What the nearest images are found with.

    Attributes:
        images: The training images.
        class_names: Name of each label.
        rows: Which of them can be read, (N,).
        features: Their features, standardised, (N, D).
        standardize: How they were standardised.
    """

    images: ImageSource
    class_names: tuple[str, ...]
    rows: Tensor
    features: Tensor
    standardize: Standardize


class TrainingImages:
    """Training images by their features, which are computed in the background and stored.

    Args:
        source: The network, on the device that computes, and its run.
    """

    def __init__(self, source: Exportable) -> None:
        assert isinstance(source.source.model, ImageClassifier)
        # A copy: Grad-CAM puts hooks into the network while this one computes.
        self._backbone: Backbone = deepcopy(source.source.model.backbone).eval()
        self._backbone.register_forward_pre_hook(self._stop_if_closed)
        self._source, self._device = source, source.source.device
        self._index: Index | None = None
        self._complaint = ""
        self._closed = Event()
        self._thread = Thread(target=self._prepare, daemon=True)
        self._thread.start()

    def nearest(self, image: Tensor, most: int) -> dict[str, Any]:
        """The most similar training images.

        Args:
            image: As the network takes it, (1, C, S, S) in [0, 1].
            most: How many, at most.

        Returns:
            `images`, each with name, label, similarity in [-1, 1] and thumbnail, the most similar
            first; or none, and the reason in `note`, and whether they will come in `pending`.
        """
        pending = self._thread.is_alive()
        if pending or self._index is None:
            note = PENDING if pending else self._complaint
            return {"images": [], "pending": pending, "note": note}
        index = self._index
        with torch.inference_mode():
            features = index.standardize(self._backbone(image.to(self._device)).float().cpu())
        [similarities], [found] = most_similar(features, index.features, most)
        rows = index.rows[found].tolist()
        shown = [
            {**_described(index, row), "similarity": round(similarity, 4)}
            for row, similarity in zip(rows, similarities.tolist(), strict=True)
        ]
        return {"images": shown, "pending": False, "note": ""}

    def wait(self) -> None:
        """Wait until the features are there, or cannot be computed."""
        self._thread.join()

    def close(self) -> None:
        """Stop computing, after the present batch."""
        self._closed.set()
        self._thread.join()

    def _prepare(self) -> None:
        try:
            data = self._source.require_data(PURPOSE)
            self._index = _index(data, frozen_features(data, self._backbone, "train"))
        except Exception as error:  # whatever it is: the network can be tried without
            self._complaint = str(error) or type(error).__name__

    def _stop_if_closed(self, module: nn.Module, args: Any) -> None:
        if self._closed.is_set():
            raise RuntimeError("The server is closed.")


def _index(data: ImageDataModule, features: Tensor) -> Index:
    rows = features.isfinite().all(dim=1).nonzero().flatten()
    standardize = Standardize()
    standardize.measure(features[rows])
    return Index(
        data.sources["train"], data.class_names, rows, standardize(features[rows]), standardize
    )


def _described(index: Index, row: int) -> dict[str, Any]:
    label = int(index.images.labels[row])
    try:
        pixels = index.images.read(row)
    except UnreadableImageError:  # it has gone since
        thumbnail = None
    else:
        channels = pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)
        thumbnail = embed_thumbnail(np.ascontiguousarray(channels)).uri
    return {
        "name": index.images.names[row],
        "label": index.class_names[label] if label >= 0 else None,
        "thumbnail": thumbnail,
    }
