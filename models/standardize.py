"""Standardise: features of mean 0 and variance 1, by statistics that are measured once."""

from typing import Any

from torch import Tensor, nn

MIN_STD = 1e-6  # of a feature; a constant one is only shifted


class Standardize(nn.Module):
    """Subtract the mean of each feature and divide by its standard deviation.

    It changes nothing until the statistics are measured. They do not change in training.
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
        self.std = features.std(dim=0, correction=0).clamp_min(MIN_STD)

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
