"""Finite validation: which metrics and images of a validation are not finite."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from callbacks.trainer_parts import ImageData

SHOWN = 5  # images that a warning lists


class NonfiniteImages:
    """Images of a validation whose logits are not finite; nothing waits for the device."""

    def __init__(self) -> None:
        self._marks: list[Tensor] = []  # index of each such image, -1 for others

    def add(self, logits: Tensor, indices: Tensor) -> None:
        """Mark the images of a batch.

        Args:
            logits: (N, K).
            indices: Indices of the images in the validation split, (N,).
        """
        finite = logits.isfinite().all(dim=1)
        self._marks.append(torch.where(finite, -1, indices.to(finite.device)))

    def warning(self, metrics: Mapping[str, Any], data: ImageData, epoch: int) -> str:
        """Say which metrics are not finite, and because of which images; empty if all are.

        Args:
            metrics: All metrics, of which those of the validation count.
            data: Names the images.
            epoch: Epoch of the validation.
        """
        values = {name: float(v) for name, v in metrics.items() if name.startswith("val/")}
        bad = {name: value for name, value in values.items() if not isfinite(value)}
        if not bad:
            return ""
        listed = ", ".join(f"{name} is {value:g}" for name, value in bad.items())
        marks = torch.cat(self._marks) if self._marks else torch.zeros(0)
        names = [data.sources["val"].names[int(index)] for index in marks[marks >= 0].tolist()]
        shown = ", ".join(names[:SHOWN]) + ", …" * (len(names) > SHOWN)
        images = f"of {len(names)} images ({shown})" if names else "of no image of this process"
        return (
            f"{listed} in epoch {epoch}, although losses and gradients of the training are finite. "
            f"The logits {images} are not finite. Training goes on."
        )
