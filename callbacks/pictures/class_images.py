"""Class images: images that a network predicts as a class, of the images of a picture."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from callbacks.pictures.picture import PictureContext

MOST = 400  # images of the user that are looked at
CHUNK = 32  # images of a forward pass


class ClassImages:
    """Images by their predicted classes: of the split, then of the training; or of the user.

    Args:
        context: The network and the images.
    """

    def __init__(self, context: PictureContext) -> None:
        self.context = context
        self._device = context.sample(1)[0].device
        if context.data is None:
            self._given = context.sample(MOST)[0]
            self._predicted = _predicted(context.model, self._given).cpu()
        else:
            self._predicted = context.predictions.predicted

    def most_frequent(self) -> list[int]:
        """The predicted classes, the most frequent first."""
        counts = self._predicted.bincount(minlength=len(self.context.class_names))
        order = counts.argsort(descending=True, stable=True)
        return [index for index in order.tolist() if counts[index]]

    def number_of(self, target: int) -> int:
        """How many images `of` can give at most."""
        number = int((self._predicted == target).sum())
        if self.context.data is None:
            return number
        return number + int((self.context.data.sources["train"].labels == target).sum())

    def of(self, target: int, number: int) -> tuple[Tensor, int]:
        """At most this many images that are predicted as a class.

        They are spread evenly over those of the split. If it has too few, training images with
        this label follow, as far as they are predicted as the class.

        Returns:
            The images, (n, C, H, W) in [0, 1], those of the training last, and how many these are.
        """
        rows = (self._predicted == target).nonzero().flatten()
        rows = rows[_evenly(len(rows), number)]
        if self.context.data is None:
            return self._given[rows.to(self._device)], 0
        indices = self.context.predictions.indices[rows].tolist()
        found = self._read(self.context.split, indices)
        images = torch.cat([*found, *self._of_training(target, number - len(rows))])
        return images, len(images) - len(rows)

    def _of_training(self, target: int, number: int) -> list[Tensor]:
        labels = self.context.data.sources["train"].labels
        members = np.flatnonzero(labels == target)
        found = self._read("train", members[_evenly(len(members), number)].tolist())
        return [images[_predicted(self.context.model, images) == target] for images in found]

    def _read(self, split: str, indices: Sequence[int]) -> list[Tensor]:
        data = self.context.data
        return [data.images(split, indices).to(self._device)] if indices else []


@torch.no_grad()
def _predicted(model: torch.nn.Module, images: Tensor) -> Tensor:
    return torch.cat([model(chunk).argmax(dim=1) for chunk in images.split(CHUNK)])


def _evenly(total: int, number: int) -> list[int]:
    """At most this many of `total` positions, evenly spread."""
    count = max(min(total, number), 0)
    return [index * total // count for index in range(count)]
