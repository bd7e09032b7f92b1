"""Head: linear layers from features to logits."""

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from models.linear_probe import fit_linear_probe
from models.standardize import Standardize

Start = Literal["auto", "random", "standardized", "fitted"]
Norm = Literal["batch", "layer", "none"]
Activation = Literal["relu", "leaky_relu", "prelu", "elu", "gelu", "silu", "tanh"]
ActivationLike = Activation | Callable[[], nn.Module]

ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class Head(nn.Module):
    """Linear layers, the last of which has one output per class.

    Each linear layer has dropout before it; each but the last has a norm and an activation after
    it. So `hidden: [1024], norm: batch, activation: prelu, dropout: [0, 0.25]` is linear to 1024,
    batch norm, PReLU, dropout, linear to the classes. Without hidden layers it is a linear
    classifier.

    Features of pretrained networks may be large: SqueezeNet's have a length of about 400. With
    random weights the first loss is then 25, and training does not recover from it. So a fit can
    standardise them with the statistics of the training images, and start the linear classifier
    from a logistic regression (see `fit_linear_probe`).

    Args:
        num_features: Length of the backbone's feature vector.
        num_classes: Number of logits.
        hidden: Sizes of the hidden layers.
        activation: A name, or a class of torch or your own, such as `torch.nn.Hardswish`.
        norm: `batch`, `layer` or `none`.
        dropout: Probability, in [0, 1), that an input of a linear layer is dropped in training; a
            list has one for each linear layer.
        norm_logits: Whether the logits are normalised, too.
        start: How a new fit starts. `random`: as it is built. `standardized`: with standardised
            features. `fitted`: also with the weights of a logistic regression on the features of
            the training images, which needs a linear classifier. `auto`: for a backbone with
            pretrained weights, `fitted` if it is linear and `standardized` if it has hidden layers;
            else `random`.

    Raises:
        ValueError: If a size, name or probability is out of range, a list has a wrong length, or a
            setting has no effect.
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        hidden: tuple[int, ...] = (),
        activation: ActivationLike = "relu",
        norm: Norm = "none",
        dropout: float | tuple[float, ...] = 0.0,
        norm_logits: bool = False,
        start: Start = "auto",
    ) -> None:
        super().__init__()
        if norm != "none" and not hidden and not norm_logits:
            raise ValueError(
                f"norm: {norm} has no effect without hidden layers or norm_logits. Set hidden, or "
                "leave norm out: `start: standardized` standardises the features."
            )
        self.linear = not hidden and not norm_logits
        if start == "fitted" and not self.linear:
            raise ValueError(
                "start: fitted needs a linear classifier, without hidden layers and norm_logits; "
                "expected `standardized` or `random`."
            )
        self.start = start
        self.standardize = Standardize()
        if norm_logits and norm == "none":
            raise ValueError("Expected norm to be `batch` or `layer` with norm_logits, got `none`.")
        dropped, last = per_layer("dropout", dropout, len(hidden) + 1), len(hidden)
        layers: list[nn.Module] = []
        for size, probability in zip(hidden, dropped[:last], strict=True):
            layers += [
                nn.Dropout(probability),
                *linear_block(num_features, size, norm, activation),
            ]
            num_features = size
        layers += [nn.Dropout(dropped[last]), nn.Linear(num_features, num_classes)]
        if norm_logits:
            layers += norm_layer(norm, num_classes)
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, num_features) to logits (N, num_classes)."""
        return self.layers(self.standardize(features))

    def start_for(self, pretrained: bool) -> str:
        """How a fit starts on a backbone that has pretrained weights or not, if `auto`."""
        if self.start != "auto":
            return self.start
        if pretrained:
            return "fitted" if self.linear else "standardized"
        return "random"

    @torch.no_grad()
    def fit(self, features: Tensor, labels: Tensor, groups: Tensor | None = None) -> float:
        """Take the weights of a logistic regression, and return its cross-validated accuracy.

        Args:
            features: Of the backbone, (N, num_features).
            labels: (N,).
            groups: See `fit_linear_probe`.
        """
        last: nn.Linear = self.layers[-1]  # pyright: ignore[reportAssignmentType]
        self.standardize.measure(features)
        probe = fit_linear_probe(self.standardize(features), labels, last.out_features, groups)
        last.weight.copy_(probe.weight)
        last.bias.copy_(probe.bias)
        return probe.accuracy


def linear_block(
    num_inputs: int, num_outputs: int, norm: Norm, activation: ActivationLike
) -> list[nn.Module]:
    """A linear layer, its norm if any, and its activation.

    Raises:
        ValueError: If the size is below 1, or the name of the norm or activation is unknown.
    """
    if num_outputs < 1:
        raise ValueError(f"Expected hidden layers of size 1 or more, got {num_outputs}.")
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"Expected activation to be {', '.join(ACTIVATIONS)} or a class, "
                f"got {activation!r}."
            )
        activation = ACTIVATIONS[activation]
    return [nn.Linear(num_inputs, num_outputs), *norm_layer(norm, num_outputs), activation()]


def norm_layer(norm: Norm, size: int) -> list[nn.Module]:
    """The norm of features (N, size); an empty list for `none`.

    Raises:
        ValueError: If the name is unknown.
    """
    if norm not in get_args(Norm):
        raise ValueError(f"Expected norm to be {', '.join(get_args(Norm))}, got {norm!r}.")
    if norm == "none":
        return []
    return [nn.BatchNorm1d(size) if norm == "batch" else nn.LayerNorm(size)]


def per_layer(name: str, values: float | tuple[float, ...], num_layers: int) -> tuple[float, ...]:
    """Dropout probability of each layer, from one for all layers or one for each.

    Raises:
        ValueError: If the number of probabilities is wrong, or one is not in [0, 1).
    """
    listed = (values,) * num_layers if isinstance(values, int | float) else tuple(values)
    if len(listed) != num_layers:
        raise ValueError(
            f"Expected {name} to be one number or a list of {num_layers}, one per layer, "
            f"got {len(listed)}."
        )
    if wrong := [value for value in listed if not 0 <= value < 1]:
        raise ValueError(f"Expected {name} in [0, 1), got {wrong[0]:g}.")
    return listed
