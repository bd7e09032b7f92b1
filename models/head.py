"""From features to logits."""

from torch import Tensor, nn


class Head(nn.Module):
    """Hidden layers with ReLU, dropout before each linear layer, then one logit a class.

    Args:
        num_features: Length of the backbone's feature vector.
        num_classes: Number of logits.
        hidden: Sizes of the hidden layers; none makes a linear classifier.
        dropout: Probability that a feature is dropped in training, in [0, 1).
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        hidden: tuple[int, ...] = (),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for size in hidden:
            layers += [nn.Dropout(dropout), nn.Linear(num_features, size), nn.ReLU()]
            num_features = size
        self.layers = nn.Sequential(
            *layers, nn.Dropout(dropout), nn.Linear(num_features, num_classes)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, num_features) to logits (N, num_classes)."""
        return self.layers(features)
