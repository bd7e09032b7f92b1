"""Standardise: features of mean 0 and variance 1, by statistics that are measured once."""

from typing import Any

from torch import Tensor, nn

# Smallest deviation to divide by, relative to that of all features together. Features that are
# (nearly) constant on the training images would else dominate once they change: fine-tuning a
# network on images unlike those it was pretrained on then diverges.
FLOOR = 0.1
MIN_STD = 1e-6  # if all features are constant


class Standardize(nn.Module):
    """Subtract the mean of each feature and divide by its standard deviation.

    Features that hardly vary are divided by a tenth of the root mean square of all deviations. It
    changes nothing until the statistics are measured. They do not change in training.
    """

    mean: Tensor | None
    std: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        # No statistics in checkpoints of networks without them, as in those of earlier versions.
        self.register_buffer("mean", None)
        self.register_buffer("std", None)

    def measure(self, features: Tensor) -> None:
        """Take mean and deviation from features (N, num_features)."""
        self.mean = features.mean(dim=0)
        std = features.std(dim=0, correction=0)
        self.std = std.clamp_min(max(FLOOR * float(std.square().mean().sqrt()), MIN_STD))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, num_features) to features of the same size."""
        if self.mean is None or self.std is None:
            return features
        return (features - self.mean) / self.std

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        for name in ("mean", "std"):
            stored = state_dict.get(prefix + name)
            setattr(self, name, None if stored is None else stored.clone())
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
